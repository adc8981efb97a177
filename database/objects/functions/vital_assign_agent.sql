-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_find_agent.sql
-- after: vital_user_id.sql
--
-- Assigns an agent to a tenant, for public.assign_agent and operators. The caller's policies decide
-- whether it may; triggers hold tier and max_agents. One that is assigned already is enabled again.
create or replace function vital.assign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid default null, p_config jsonb default '{}')
returns public.tenant_agents
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  agent public.agents;
  assigned public.tenant_agents;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(jsonb_typeof(coalesce(p_config, '{}')) = 'object', 'p_config', 'a JSON object');
  agent := vital.find_agent(p_tenant_id, p_agent_id, p_agent_tenant_id);
  if agent.status <> 'active' then
    raise exception using errcode = 'VT203', message = format('This agent is %s; only active ones are assigned.', agent.status),
      hint = 'Its owner can make it active.';
  end if;
  insert into public.tenant_agents as t (tenant_id, agent_tenant_id, agent_id, config, assigned_by)
  values (p_tenant_id, agent.tenant_id, agent.id, coalesce(p_config, '{}'), vital.user_id())
  on conflict (tenant_id, agent_tenant_id, agent_id) do update
  set is_enabled = true, config = case when excluded.config = '{}' then t.config else excluded.config end
  returning t.* into assigned;
  return assigned;
end
$$;
comment on function vital.assign_agent(uuid, uuid, uuid, jsonb) is 'Assigns an agent to a tenant';
grant execute on function vital.assign_agent(uuid, uuid, uuid, jsonb) to authenticated, service_role;
