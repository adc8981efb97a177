-- after: vital_load_statistics.sql
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
--
-- How the loads of the last hours fared, tenant by tenant, the busiest first: for super admins and service_role. Times are in
-- milliseconds, rates in percent. A tenant that is gone, whose records outlive it, has neither slug nor name.
create or replace function public.get_tenant_load_stats(p_hours integer default 24)
returns table (
  tenant_id uuid, slug text, name text, loads bigint, total_time_ms numeric, avg_time_ms numeric, p50_time_ms numeric, p95_time_ms numeric, p99_time_ms numeric,
  max_time_ms numeric, cache_hit_rate numeric, error_rate numeric
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_hours between 1 and 24 * 366, 'p_hours', 'between 1 and 8784');
  return query
    select s.label::uuid, o.slug::text, o.name::text, s.loads, round(s.loads * s.avg_ms, 1), round(s.avg_ms, 2), s.p50_ms, s.p95_ms, s.p99_ms, s.max_ms, s.cache_hit_rate, s.error_rate
    from vital.load_statistics(now() - make_interval(hours => p_hours), 'infinity', 'tenant') s
    left join public.organizations o on o.id = s.label::uuid
    order by s.loads desc, s.label;
end
$$;
comment on function public.get_tenant_load_stats(integer) is 'How the loads of the last hours fared, tenant by tenant';
grant execute on function public.get_tenant_load_stats(integer) to authenticated, service_role;
