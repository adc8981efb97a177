-- after: vital_require_writer.sql
-- after: vital_require_value.sql
-- after: vital_find_agent.sql
-- after: vital_user_id.sql
--
-- Records one use of a tool in the tenant the caller acts in: its own by that id, else the platform's.
-- Returns the record's id. Row-level security stays in force.
create or replace function public.record_tool_usage(
  p_tool_id uuid, p_success boolean, p_execution_time_ms integer default null, p_error_message text default null, p_agent_id uuid default null
) returns uuid
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_writer();
  record_id constant uuid := gen_random_uuid(); -- a member may add records, not read them
  tool_tenant_id uuid;
  agent public.agents;
begin
  perform vital.require_value(p_success is not null, 'p_success', 'true or false');
  perform vital.require_value(coalesce(p_execution_time_ms, 0) >= 0, 'p_execution_time_ms', 'not negative');
  select t.tenant_id into tool_tenant_id
  from public.tools t
  where t.tenant_id in (standing.tenant_id, '00000000-0000-0000-0000-000000000001') and t.id = p_tool_id
  order by t.tenant_id = standing.tenant_id desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such tool.',
      hint = 'A tenant has its own tools and those of the platform.';
  end if;
  if p_agent_id is not null then
    agent := vital.find_agent(standing.tenant_id, p_agent_id, null);
  end if;
  insert into public.tool_usage_log (
    tenant_id, id, tool_tenant_id, tool_id, user_id, agent_tenant_id, agent_id, success, error_message, execution_time_ms)
  values (
    standing.tenant_id, record_id, tool_tenant_id, p_tool_id, vital.user_id(), agent.tenant_id, agent.id, p_success,
    p_error_message, p_execution_time_ms);
  return record_id;
end
$$;
comment on function public.record_tool_usage(uuid, boolean, integer, text, uuid) is 'Records one use of a tool in the caller''s tenant';
grant execute on function public.record_tool_usage(uuid, boolean, integer, text, uuid) to authenticated, service_role;
