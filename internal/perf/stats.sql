How loads fared and why one did not, as service_role.

-- name: Statistics
select s.label, case when $3 = 'tenant' then o.slug end, s.loads, s.avg_ms::float8, s.min_ms::float8, s.max_ms::float8, s.p50_ms::float8, s.p95_ms::float8, s.p99_ms::float8,
  s.cache_hit_rate::float8, s.error_rate::float8
from vital.load_statistics($1, $2, $3) s
left join public.organizations o on $3 = 'tenant' and o.id::text = s.label
where s.label is not null
order by s.loads * s.avg_ms desc, s.label;

-- name: Slowest
-- Since $1, of tenant $2 or of all, those that failed where $3: loads, or where $4, what background jobs asked for.
select q.created_at, q.query_name, o.slug, u.email, coalesce(q.duration_us / 1000.0, q.execution_time_ms)::float8, q.rows_returned, coalesce(q.error_code, ''), coalesce(q.request_id, ''), q.steps
from public.query_performance q
left join public.organizations o on o.id = q.tenant_id
left join public.users u on u.id = q.user_id
where q.created_at >= $1 and ($2::uuid is null or q.tenant_id = $2) and (not $3 or not q.success) and vital.is_load(q.query_type) <> $4
order by case when $3 then q.created_at end desc, coalesce(q.duration_us / 1000.0, q.execution_time_ms) desc nulls last, q.id
limit $5;

-- name: OfRequest
select q.created_at, coalesce(q.query_type, q.query_name), q.query_name, q.tenant_id, o.slug, q.user_id, u.email, (select h.slug from public.organizations h where h.id = u.organization_id),
  u.organization_id, coalesce(q.duration_us / 1000.0, q.execution_time_ms)::float8, q.rows_returned, q.cache_hit, q.success, coalesce(q.error_code, ''), coalesce(q.error_message, ''), q.weight, q.steps
from public.query_performance q
left join public.organizations o on o.id = q.tenant_id
left join public.users u on u.id = q.user_id
where q.request_id = $1
order by q.created_at
limit 20;

-- name: Reach
-- How far something reaches: for one user, one tenant and everybody, when such a load fared well last before and first again behind it, and
-- how many did not in between.
-- $1 query_name, $2 error_code ('' for slow), $3 when it began, $4 user, $5 tenant, $6 slow from so many microseconds on, $7 how far back to
-- look, $8 when it ended: one that began in between says nothing of what is behind it.
with record as not materialized ( -- what is asked for of it must reach the indexes
  select q.created_at, q.created_at + make_interval(secs => coalesce(q.duration_us / 1e6, q.execution_time_ms / 1e3, 0)) as ended, q.user_id, q.tenant_id, q.weight,
    q.success and ($2 <> '' or coalesce(q.duration_us, 1000 * q.execution_time_ms) < $6) as good,
    case when $2 <> '' then q.error_code = $2 else q.success and coalesce(q.duration_us, 1000 * q.execution_time_ms) >= $6 end as bad
  from public.query_performance q
  where q.query_name = $1 and q.created_at > $3::timestamptz - $7::interval
)
select s.scope, l.last_good, n.next_good, b.since, b.until, coalesce(b.loads, 0), b.users, b.tenants, n.ended, b.ended
from (values (1, 'user', $4::uuid, null::uuid), (2, 'tenant', null, $5::uuid), (3, 'everybody', null, null)) s (place, scope, user_id, tenant_id)
left join lateral (
  select r.created_at as last_good
  from record r
  where r.good and r.created_at < $3 and (s.user_id is null or r.user_id = s.user_id) and (s.tenant_id is null or r.tenant_id = s.tenant_id)
  order by r.created_at desc limit 1
) l on true
left join lateral (
  select r.created_at as next_good, r.ended
  from record r
  where r.good and r.created_at > $8::timestamptz and (s.user_id is null or r.user_id = s.user_id) and (s.tenant_id is null or r.tenant_id = s.tenant_id)
  order by r.created_at limit 1
) n on true
cross join lateral (
  select min(r.created_at) as since, max(r.created_at) as until, sum(r.weight) as loads, count(distinct r.user_id) as users, count(distinct r.tenant_id) as tenants, min(r.ended) as ended
  from record r
  where r.bad and r.created_at > coalesce(l.last_good, '-infinity') and r.created_at < coalesce(n.next_good, 'infinity')
    and (s.user_id is null or r.user_id = s.user_id) and (s.tenant_id is null or r.tenant_id = s.tenant_id)
) b
where s.scope = 'everybody' or s.user_id is not null or s.tenant_id is not null
order by s.place;

-- name: Typical
select percentile_disc(0.5) within group (order by coalesce(q.duration_us / 1000.0, q.execution_time_ms))::float8
from public.query_performance q
where q.query_name = $1 and q.success and not q.cache_hit and q.created_at < $2 and q.created_at > $2::timestamptz - interval '7 days';

-- name: ChangesBefore
-- What was changed in the $2 before $1: in tenant $3, in the platform, in definitions of flags, in the schema, and of the servers.
select c.at, c.kind, c.what, c.who, c.reason
from (
  select a.created_at as at, 'audit' as kind, concat_ws(' ', a.action, a.entity) as what, coalesce((select u.email from public.users u where u.id = a.actor_id), a.database_role) as who, a.reason
  from public.organization_audit_log a
  where a.organization_id in ($3, '00000000-0000-0000-0000-000000000001') and a.created_at between $1::timestamptz - $2::interval and $1
  union all
  select v.created_at, 'flag', concat_ws(' ', f.flag_key, 'version', v.version), (select u.email from public.users u where u.id = v.created_by), v.reason
  from public.feature_flag_versions v join public.feature_flags f on f.id = v.feature_flag_id
  where v.created_at between $1::timestamptz - $2::interval and $1
  union all
  select v.created_at, 'override', concat_ws(' ', f.flag_key, 'version', v.version), (select u.email from public.users u where u.id = v.created_by), v.reason
  from public.tenant_feature_flag_versions v join public.feature_flags f on f.id = v.feature_flag_id
  where v.tenant_id = $3 and v.created_at between $1::timestamptz - $2::interval and $1
  union all
  select m.tstamp at time zone current_setting('timezone'), 'migration', 'version ' || m.version_id, null, null
  from vital.migrations m where m.is_applied and m.version_id > 0 and m.tstamp at time zone current_setting('timezone') between $1::timestamptz - $2::interval and $1
  union all
  select s.started_at, 'deploy', 'server of version ' || s.version || ' started', null, null
  from vital.server_starts s where s.started_at between $1::timestamptz - $2::interval and $1
) c
order by c.at desc
limit 200;
