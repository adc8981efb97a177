-- How the active tools of a tenant and of the platform fared in the last days, by the uses of that tenant
-- alone; or all tools by all uses, with null. UNUSED, else HEALTHY from 80 % of successes, DEGRADED from
-- 50 %, UNHEALTHY below; one that is deprecated is DEPRECATED whatever its figures.
create or replace function vital.tool_health(p_tenant_id uuid default null, p_days integer default 30)
returns table (
  tool_id uuid, tool_name text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, unique_tenants bigint,
  health_status text, deprecated boolean, replacement_tool_id uuid, tool_tenant_id uuid
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with figures as (
    select t.id, t.tenant_id, t.name, t.deprecated, t.replacement_tool_id,
      count(u.id) as uses,
      count(u.id) filter (where u.success) * 100.0 / nullif(count(u.id), 0) as rate,
      round(avg(u.execution_time_ms), 2) as milliseconds,
      count(distinct u.tenant_id) as tenants
    from public.tools t
    left join public.tool_usage_log u
      on u.tool_tenant_id = t.tenant_id and u.tool_id = t.id
      and u.created_at > transaction_timestamp() - make_interval(days => p_days)
      and (p_tenant_id is null or u.tenant_id = p_tenant_id)
    where t.is_active and (p_tenant_id is null or t.tenant_id in (p_tenant_id, '00000000-0000-0000-0000-000000000001'))
    group by t.tenant_id, t.id
  )
  select f.id, f.name, f.uses, round(f.rate, 2), f.milliseconds, f.tenants,
    case
      when f.deprecated then 'DEPRECATED'
      when f.uses = 0 then 'UNUSED'
      when f.rate < 50 then 'UNHEALTHY'
      when f.rate < 80 then 'DEGRADED'
      else 'HEALTHY'
    end,
    f.deprecated, f.replacement_tool_id, f.tenant_id
  from figures f
  order by f.uses desc, f.name, f.id
$$;
comment on function vital.tool_health(uuid, integer) is 'How tools fared in the last days, by the uses of one tenant or of all';
grant execute on function vital.tool_health(uuid, integer) to service_role, vital_definer;
