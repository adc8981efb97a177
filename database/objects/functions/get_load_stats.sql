-- after: vital_load_statistics.sql
-- after: vital_require_value.sql
--
-- How the loads of the last hours fared, counted by 'query', by 'type', by the 'code' of those that failed, or 'all' together, what took the
-- most time in all first: an admin sees their tenant's, super admins and service_role all, or those of the tenant they name. Times are in
-- milliseconds, rates in percent. Of a tenant the caller does not oversee there is nothing, as of one that does not exist. By query and by
-- type, background jobs are listed too, as 'job.…' and 'job'; they are no loads, and in no other figure.
create or replace function public.get_load_stats(p_hours integer default 24, p_by text default 'query', p_tenant_id uuid default null)
returns table (
  label text, loads bigint, total_time_ms numeric, avg_time_ms numeric, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric, max_time_ms numeric,
  cache_hit_rate numeric, error_rate numeric
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  perform vital.require_value(p_by in ('query', 'type', 'code', 'all'), 'p_by', 'query, type, code or all');
  return query
    select coalesce(s.label, 'unknown'), s.loads, round(s.loads * s.avg_ms, 1), round(s.avg_ms, 2), s.p50_ms, s.p95_ms, s.p99_ms, s.max_ms, s.cache_hit_rate, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', p_by, p_tenant_id) s
    order by s.loads * s.avg_ms desc, s.label;
end
$$;
comment on function public.get_load_stats(integer, text, uuid) is 'How the loads of the last hours fared, by query, type, code of what failed, or altogether';
grant execute on function public.get_load_stats(integer, text, uuid) to authenticated, service_role;
