What operators ask of erasures; the functions judge who may.

-- name: List
select e.id, e.subject, e.subject_id, e.reason, e.state, e.requested_by, e.requested_at, e.not_before, e.approved_by, e.approved_at,
  e.started_at, e.finished_at, e.cancelled_by, e.cancelled_at, coalesce(e.on_hold, false), e.clean
from public.list_erasures() e;

-- name: File
select public.request_erasure($1, $2, $3);

-- name: Approve
select public.approve_erasure($1);

-- name: Cancel
select public.cancel_erasure($1, $2);

-- name: Hold
select public.set_legal_hold($1, $2, $3);

-- name: Waits
select extract(epoch from s.erasure_wait)::float8, extract(epoch from s.user_erasure_wait)::float8 from vital.settings s;

-- name: SetWait
select vital.set_erasure_wait($1, pg_catalog.make_interval(secs => $2::float8), $3);

-- name: Certificate
select e.certificate, e.signature from vital.erasures e where e.id = $1 and e.certificate is not null;
