What gates are measured by, as service_role: a figure (null where there is nothing to measure) and what it rests on, from $1 until $2.

-- name: context_within_1s
select 100.0 * coalesce(sum(q.weight) filter (where q.success and coalesce(q.duration_us, 1000 * q.execution_time_ms) < 1000000), 0)::float8 / nullif(sum(q.weight), 0),
  coalesce(sum(q.weight), 0) || ' loads, ' || coalesce(sum(q.weight) filter (where not q.success), 0) || ' failed for a reason of ours'
from public.query_performance q
where q.query_name = 'tenant_context' and q.created_at >= $1 and q.created_at < $2 and (q.success or vital.is_load_fault(q.error_code));

-- name: context_p95
select max(s.p95_ms)::float8, coalesce(max(s.loads), 0) || ' loads' from vital.load_statistics($1, $2, 'query') s where s.label = 'tenant_context';

-- name: context_p99
select max(s.p99_ms)::float8, coalesce(max(s.loads), 0) || ' loads' from vital.load_statistics($1, $2, 'query') s where s.label = 'tenant_context';

-- name: cache_hit_rate
select max(s.cache_hit_rate)::float8, coalesce(max(s.loads), 0) || ' loads of a context' from vital.load_statistics($1, $2, 'query') s where s.label = 'tenant_context';

-- name: loads
select sum(q.weight)::float8, count(*) || ' records' from public.query_performance q where q.created_at >= $1 and q.created_at < $2 and vital.is_load(q.query_type);

-- name: load_faults
select 100.0 * coalesce(sum(q.weight) filter (where vital.is_load_fault(q.error_code)), 0)::float8 / nullif(sum(q.weight), 0),
  coalesce(sum(q.weight) filter (where vital.is_load_fault(q.error_code)), 0) || ' of ' || coalesce(sum(q.weight), 0) || ' loads' ||
  coalesce('; most often ' || (
    select f.error_code || ' in ' || f.query_name from public.query_performance f
    where f.created_at >= $1 and f.created_at < $2 and vital.is_load(f.query_type) and vital.is_load_fault(f.error_code)
    group by f.error_code, f.query_name order by sum(f.weight) desc, 1 limit 1), '')
from public.query_performance q where q.created_at >= $1 and q.created_at < $2 and vital.is_load(q.query_type);

-- name: rls_denials
-- A denied statement is one whoever asked for it: those of background jobs count here.
select coalesce(sum(q.weight) filter (where q.error_code = '42501'), 0)::float8,
  coalesce('most often ' || (
    select d.query_name from public.query_performance d
    where d.created_at >= $1 and d.created_at < $2 and d.error_code = '42501' group by 1 order by sum(d.weight) desc, 1 limit 1),
    case when count(*) filter (where vital.is_load(q.query_type)) = 0 then 'no loads recorded' else 'none' end)
from public.query_performance q where q.created_at >= $1 and q.created_at < $2;

-- name: rls_policies
select count(*)::float8, 'on ' || count(distinct p.polrelid) || ' tables'
from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid
where c.relnamespace = 'public'::regnamespace and $1::timestamptz < $2::timestamptz;

-- name: rls_tables
select 100.0 * count(*) filter (where c.relrowsecurity and c.relforcerowsecurity)::float8 / nullif(count(*), 0),
  count(*) filter (where c.relrowsecurity and c.relforcerowsecurity) || ' of ' || count(*) || ' tables'
from pg_catalog.pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and $1::timestamptz < $2::timestamptz;

-- name: schema_findings
select case when r.status <> 'failed' then r.findings::float8 end,
  case r.status when 'failed' then 'the check itself could not be run' else r.findings || ' findings' end || ', ' || to_char(r.ran_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
from vital.check_runs r where r.check_name = 'schema' and r.ran_at >= $2::timestamptz - interval '26 hours' and r.ran_at < $2 and $1::timestamptz < $2 order by r.ran_at desc limit 1;

-- name: rls_findings
select case when r.status <> 'failed' then r.findings::float8 end,
  case r.status when 'failed' then 'the check itself could not be run' else r.findings || ' findings' end || ', ' || to_char(r.ran_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
from vital.check_runs r where r.check_name = 'rls' and r.ran_at >= $2::timestamptz - interval '26 hours' and r.ran_at < $2 and $1::timestamptz < $2 order by r.ran_at desc limit 1;

-- name: data_findings
select case when r.status <> 'failed' then r.findings::float8 end,
  case r.status when 'failed' then 'the check itself could not be run' else r.findings || ' findings' end || ', ' || to_char(r.ran_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
from vital.check_runs r where r.check_name = 'data' and r.ran_at >= $2::timestamptz - interval '26 hours' and r.ran_at < $2 and $1::timestamptz < $2 order by r.ran_at desc limit 1;

-- name: data_check_age
select round(extract(epoch from $2 - max(r.ran_at)) / 3600, 1)::float8, 'last run ' || coalesce(to_char(max(r.ran_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), 'never')
from vital.check_runs r where r.check_name = 'data' and r.ran_at < $2 and $1::timestamptz < $2;

-- name: schema_drifted_days
select count(distinct (r.ran_at at time zone 'UTC')::date) filter (where r.status <> 'ok')::float8, count(distinct (r.ran_at at time zone 'UTC')::date) || ' days looked at'
from vital.check_runs r where r.check_name = 'schema' and r.ran_at >= $1 and r.ran_at < $2 having count(*) > 0;

-- name: tenants_not_loading
select count(*) filter (where l.lacks)::float8, count(*) || ' active tenants' || coalesce(', first ' || min(l.slug) filter (where l.lacks), '')
from (
  select o.slug, not exists (select from public.tenant_configurations c where c.tenant_id = o.id)
    or not exists (select from public.tenant_apps a where a.tenant_id = o.id and a.is_visible and a.is_enabled)
    or not exists (select from public.user_tenants m where m.tenant_id = o.id and m.status = 'active' and m.role in ('owner', 'admin')) as lacks
  from public.organizations o
  where o.is_active and o.tenant_type <> 'system' and $1::timestamptz < $2::timestamptz
) l;

-- name: materialized_views
select count(*)::float8, 'tenant_full_config is a view of the present' from pg_catalog.pg_matviews m where m.schemaname = 'public' and $1::timestamptz < $2::timestamptz;

-- name: migration_check_failures
select count(*) filter (where c.status = 'FAIL')::float8, coalesce(string_agg(c.message, '; ') filter (where c.status = 'FAIL'), 'post_migration_check() passes')
from public.post_migration_check() c where $1::timestamptz < $2::timestamptz;
