-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
-- after: vital_tool_health.sql
--
-- How tools fared in the last days. A member sees the tools of the tenant they act in and the platform's,
-- by their own tenant's uses; super admins and service_role see all tools by all uses. Definer, because
-- members may not read the records the figures are made of.
create or replace function public.get_tool_health_metrics(p_days integer default 30)
returns table (
  tool_id uuid, tool_name text, total_uses bigint, success_rate numeric, avg_execution_time_ms numeric, unique_tenants bigint,
  health_status text, deprecated boolean, replacement_tool_id uuid
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  own_tenant_id uuid;
begin
  perform vital.require_value(p_days between 1 and 3650, 'p_days', 'between 1 and 3650');
  if not vital.is_operator() and not public.is_super_admin() then
    own_tenant_id := (vital.require_member()).tenant_id;
  end if;
  return query
    select h.tool_id, h.tool_name, h.total_uses, h.success_rate, h.avg_execution_time_ms, h.unique_tenants, h.health_status, h.deprecated, h.replacement_tool_id
    from vital.tool_health(own_tenant_id, p_days) h;
end
$$;
comment on function public.get_tool_health_metrics(integer) is 'How tools fared in the last days, as far as the caller may know';
grant execute on function public.get_tool_health_metrics(integer) to authenticated, service_role;
