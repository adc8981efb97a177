-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_require_value.sql
-- after: vital_tool_health.sql
--
-- The tools a member of the tenant has, its own and the platform's, and how each fared there in the last days, as a list to be filtered and
-- sorted. health_status is as in get_tool_health_metrics, INACTIVE for one that is switched off; figures are of this tenant's uses
-- alone. Definer, because members may not read the records the figures are made of.
create or replace function public.list_tools(p_days integer default 30)
returns table (
  tenant_id uuid, id uuid, name text, slug text, description text, tool_type text, category text, deprecated boolean, deprecated_at timestamptz, deprecated_reason text,
  replacement_tool_id uuid, replacement_name text, health_status text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, last_used_at timestamptz,
  updated_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_member();
begin
  perform vital.require_value(p_days between 1 and 3650, 'p_days', 'between 1 and 3650');
  return query
    select t.tenant_id, t.id, t.name, t.slug, t.description, t.tool_type, coalesce(c.name, t.category), t.deprecated, t.deprecated_at, t.deprecated_reason,
      t.replacement_tool_id, r.name, coalesce(h.health_status, 'INACTIVE'), coalesce(h.total_uses, 0), h.success_rate, h.avg_execution_time_ms, u.created_at, t.updated_at
    from public.tools t
    left join public.tool_categories c on c.tenant_id = t.category_tenant_id and c.id = t.category_id
    left join public.tools r on r.tenant_id = t.replacement_tool_tenant_id and r.id = t.replacement_tool_id
    left join vital.tool_health(standing.tenant_id, p_days) h on h.tool_tenant_id = t.tenant_id and h.tool_id = t.id
    left join lateral (
      select l.created_at
      from public.tool_usage_log l
      where h.total_uses > 0 and l.tool_tenant_id = t.tenant_id and l.tool_id = t.id and l.tenant_id = standing.tenant_id
      order by l.created_at desc
      limit 1
    ) u on true
    where t.tenant_id in (standing.tenant_id, '00000000-0000-0000-0000-000000000001')
    order by t.name, t.id;
end
$$;
comment on function public.list_tools(integer) is 'The tools a tenant has and how they fared there in the last days';
grant execute on function public.list_tools(integer) to authenticated, service_role;
