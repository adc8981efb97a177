What weekly reports and gates ask of the database, as service_role.

-- name: Signatures
select distinct on (a.gate) a.gate, a.approved, a.approved_by, coalesce(a.note, ''), a.approved_at from vital.gate_approvals a where a.approved_at < $1 order by a.gate, a.approved_at desc, a.id;

-- name: Sign
insert into vital.gate_approvals (gate, approved, approved_by, note) values ($1, $2, $3, nullif($4, ''));

-- name: Days
select d.day::date, coalesce(s.loads, 0), s.p50::float8, s.p95::float8, s.p99::float8, s.hits::float8, s.failed::float8
from generate_series($1::timestamptz at time zone 'UTC', ($2::timestamptz at time zone 'UTC') - interval '1 microsecond', interval '1 day') d (day)
left join lateral (
  select max(l.loads) filter (where l.label = 'all') as loads, max(c.p50_ms) as p50, max(c.p95_ms) as p95, max(c.p99_ms) as p99, max(c.cache_hit_rate) as hits,
    max(l.error_rate) filter (where l.label = 'all') as failed
  from vital.load_statistics(d.day at time zone 'UTC', (d.day + interval '1 day') at time zone 'UTC', 'all') l
  left join vital.load_statistics(d.day at time zone 'UTC', (d.day + interval '1 day') at time zone 'UTC', 'query') c on c.label = 'tenant_context'
) s on true
order by 1;

-- name: Done
-- What was done from $1 until $2: how many, and what.
select d.n, d.what from (
  select 1 as place, count(*) as n, 'tenant onboarded|tenants onboarded' as what from public.organizations o where o.created_at >= $1 and o.created_at < $2
  union all
  select 2, count(distinct a.organization_id), 'tenant ' || a.action || '|tenants ' || a.action from public.organization_audit_log a
    where a.action in ('suspended', 'activated', 'archived', 'approved') and a.created_at >= $1 and a.created_at < $2 group by a.action
  union all
  select 3, count(*), 'migration applied|migrations applied' from vital.migrations m
    where m.is_applied and m.version_id > 0 and m.tstamp at time zone current_setting('timezone') >= $1 and m.tstamp at time zone current_setting('timezone') < $2
  union all
  select 4, count(*), 'version of flag definitions made|versions of flag definitions made' from public.feature_flag_versions v where v.created_at >= $1 and v.created_at < $2
  union all
  select 5, count(distinct s.version), 'version of the server deployed|versions of the server deployed' from vital.server_starts s where s.started_at >= $1 and s.started_at < $2
) d where d.n > 0 order by d.place, d.what;

-- name: SignedOff
select a.gate, a.approved_by from vital.gate_approvals a where a.approved and a.approved_at >= $1 and a.approved_at < $2 order by a.approved_at;

-- name: Coming
-- What is due from $1 until $2.
select c.at, c.what from (
  select f.run_at as at, 'a scheduled change of the flag ' || d.flag_key as what from public.feature_flag_changes f join public.feature_flags d on d.id = f.feature_flag_id
    where f.status = 'pending' and f.run_at >= $1 and f.run_at < $2
  union all
  select f.expires_at, 'the flag ' || f.flag_key || ' expires' from public.feature_flags f where f.expires_at >= $1 and f.expires_at < $2
) c order by c.at limit 20;

-- name: StoreWeekly
-- One of a week that is over stays as it was made.
insert into vital.weekly_reports as r (week, status, report, is_over) values ($1, $2, $3, $4)
on conflict (week) do update set status = excluded.status, report = excluded.report, is_over = excluded.is_over, made_at = excluded.made_at where not r.is_over;

-- name: Weekly
-- What was kept of a week when it was over.
select r.report from vital.weekly_reports r where r.week = $1 and r.is_over;

-- name: Due
-- The weeks until $1, last week's name, of which the report is to be made: that one, unless nothing was here by its end, $2; and those of which only
-- how they stood before they were over is kept. Names sort as weeks do.
select $1::text as week where not exists (select from vital.weekly_reports r where r.week = $1)
  and exists (select from vital.migrations m where m.version_id > 0 and m.is_applied and m.tstamp at time zone current_setting('timezone') < $2)
union all
select r.week from vital.weekly_reports r where r.week <= $1 and not r.is_over
order by week;
