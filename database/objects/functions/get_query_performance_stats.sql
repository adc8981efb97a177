-- after: vital_load_statistics.sql
-- after: vital_require_value.sql
--
-- How the loads of the last hours fared, query by query, the slowest on average first: an admin sees their tenant's, super admins
-- and service_role all, and background jobs as 'job.…'. Times are in milliseconds, rates in percent.
create or replace function public.get_query_performance_stats(p_hours integer default 24)
returns table (
  query_name text, avg_time_ms numeric, max_time_ms integer, min_time_ms integer, total_executions bigint, cache_hit_rate numeric,
  p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, error_rate numeric
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  return query
    select s.label, round(s.avg_ms, 2), round(s.max_ms)::integer, round(s.min_ms)::integer, s.loads, s.cache_hit_rate, s.p50_ms, s.p95_ms, s.p99_ms, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', 'query') s
    order by s.avg_ms desc, s.label;
end
$$;
comment on function public.get_query_performance_stats(integer) is 'How the loads of the last hours fared, query by query';
grant execute on function public.get_query_performance_stats(integer) to authenticated, service_role;
