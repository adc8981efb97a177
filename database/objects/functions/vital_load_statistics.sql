-- after: vital_is_load.sql
--
-- How loads fared from p_from until p_until, one row for each query_name (p_by 'query'), query_type ('type'), tenant ('tenant'), code
-- of what failed ('code') or altogether ('all'), of those the caller may see: an admin's their tenant's, a super admin's all. Each record counts for
-- as many loads as it stands for. Times are in milliseconds and exact to three digits, which keeps what must be sorted small
-- whatever the number of records. cache_hit_rate and error_rate are percentages. With p_tenant_id it is those of that tenant alone: a super
-- admin who looks at one tenant sees what its admins see. Background jobs are no loads: they stand under their own label where queries or types
-- are counted one by one, and are in no other figure.
drop function if exists vital.load_statistics(timestamptz, timestamptz, text);
create or replace function vital.load_statistics(p_from timestamptz, p_until timestamptz, p_by text, p_tenant_id uuid default null)
returns table (
  label text, loads bigint, avg_ms numeric, min_ms numeric, max_ms numeric, p50_ms numeric, p95_ms numeric, p99_ms numeric,
  cache_hit_rate numeric, error_rate numeric, slowest_at timestamptz
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with record as (
    select case p_by
        when 'query' then q.query_name when 'type' then coalesce(q.query_type, q.query_name) when 'tenant' then q.tenant_id::text
        when 'code' then q.error_code else 'all'
      end as label,
      coalesce(q.duration_us / 1000.0, q.execution_time_ms) as ms, q.weight, q.cache_hit, q.success, q.created_at
    from public.query_performance q
    where q.created_at >= p_from and q.created_at < p_until and (p_by <> 'code' or not q.success) and (p_tenant_id is null or q.tenant_id = p_tenant_id)
      and (p_by in ('query', 'type') or vital.is_load(q.query_type))
  ), rounded as (
    select r.label, case when r.ms > 0 then round(r.ms, 2 - floor(log(r.ms))::integer) else r.ms end as ms,
      sum(r.weight) as n, sum(r.weight * r.ms) as total, min(r.ms) as least, max(r.ms) as most,
      sum(r.weight) filter (where r.cache_hit) as hits, sum(r.weight) filter (where not r.success) as failed, max(r.created_at) as latest
    from record r group by 1, 2
  ), running as (
    select r.*, sum(r.n) over (partition by r.label order by r.ms) as up_to, sum(r.n) over (partition by r.label) as of_all
    from rounded r where r.ms is not null
  )
  select r.label, sum(r.n)::bigint, round(sum(r.total) / sum(r.n), 3), round(min(r.least), 3), round(max(r.most), 3),
    min(r.ms) filter (where r.up_to >= 0.5 * r.of_all), min(r.ms) filter (where r.up_to >= 0.95 * r.of_all), min(r.ms) filter (where r.up_to >= 0.99 * r.of_all),
    round(100.0 * coalesce(sum(r.hits), 0) / sum(r.n), 2), round(100.0 * coalesce(sum(r.failed), 0) / sum(r.n), 2),
    (array_agg(r.latest order by r.ms desc))[1]
  from running r group by r.label
$$;
comment on function vital.load_statistics(timestamptz, timestamptz, text, uuid) is 'How loads fared, by query, type, tenant, code or altogether';
grant execute on function vital.load_statistics(timestamptz, timestamptz, text, uuid) to authenticated, service_role;
