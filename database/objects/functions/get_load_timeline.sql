-- after: vital_is_load.sql
-- after: vital_require_value.sql
--
-- How the loads of the last hours fared, in p_buckets spans of equal length, the last of which is not over: an admin sees their tenant's,
-- super admins and service_role all, or those of the tenant they name. Spans begin at multiples of their length, so that what is over is the same at every call. Each
-- record counts for as many loads as it stands for; times are in milliseconds, exact to three digits, rates in percent; a span without
-- loads has 0 of them and no figures. Background jobs are no loads.
drop function if exists public.get_load_timeline(integer, integer);
create or replace function public.get_load_timeline(p_hours integer default 24, p_buckets integer default 96, p_tenant_id uuid default null)
returns table (
  bucket_start timestamptz, loads bigint, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, cache_hit_rate numeric, error_rate numeric
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  span interval;
  first_start timestamptz;
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  perform vital.require_value(p_buckets between 1 and 500, 'p_buckets', 'between 1 and 500');
  span := make_interval(secs => p_hours * 3600.0 / p_buckets);
  first_start := date_bin(span, now(), 'epoch') - (p_buckets - 1) * span;
  return query
    with record as (
      select date_bin(span, q.created_at, first_start) as start, coalesce(q.duration_us / 1000.0, q.execution_time_ms) as ms, q.weight, q.cache_hit, q.success
      from public.query_performance q
      where q.created_at >= first_start and q.created_at < first_start + p_buckets * span
        and (p_tenant_id is null or q.tenant_id = p_tenant_id) and vital.is_load(q.query_type)
    ), rounded as (
      select r.start, case when r.ms > 0 then round(r.ms, 2 - floor(log(r.ms))::integer) else r.ms end as ms,
        sum(r.weight) as n, sum(r.weight) filter (where r.cache_hit) as hits, sum(r.weight) filter (where not r.success) as failed
      from record r where r.ms is not null group by 1, 2
    ), running as (
      select r.*, sum(r.n) over (partition by r.start order by r.ms) as up_to, sum(r.n) over (partition by r.start) as of_all
      from rounded r
    ), figures as (
      select r.start, sum(r.n)::bigint as loads,
        min(r.ms) filter (where r.up_to >= 0.5 * r.of_all) as p50, min(r.ms) filter (where r.up_to >= 0.95 * r.of_all) as p95,
        min(r.ms) filter (where r.up_to >= 0.99 * r.of_all) as p99,
        round(100.0 * coalesce(sum(r.hits), 0) / sum(r.n), 2) as hit_rate, round(100.0 * coalesce(sum(r.failed), 0) / sum(r.n), 2) as error_rate
      from running r group by r.start
    )
    select first_start + i * span, coalesce(f.loads, 0), f.p50, f.p95, f.p99, f.hit_rate, f.error_rate
    from generate_series(0, p_buckets - 1) i
    left join figures f on f.start = first_start + i * span
    order by i;
end
$$;
comment on function public.get_load_timeline(integer, integer, uuid) is 'How the loads of the last hours fared, over time';
grant execute on function public.get_load_timeline(integer, integer, uuid) to authenticated, service_role;
