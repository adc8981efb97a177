-- after: vital_require_admin.sql
-- after: vital_assign_agent.sql
--
-- Assigns an agent to the tenant the caller administers: one of its own, else one of the platform's,
-- within enabled_agent_tiers and limits.max_agents. Row-level security stays in force.
create or replace function public.assign_agent(p_agent_id uuid, p_agent_tenant_id uuid default null, p_config jsonb default '{}')
returns public.tenant_agents
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.assign_agent(standing.tenant_id, p_agent_id, p_agent_tenant_id, p_config);
end
$$;
comment on function public.assign_agent(uuid, uuid, jsonb) is 'Assigns an agent to the caller''s tenant';
grant execute on function public.assign_agent(uuid, uuid, jsonb) to authenticated, service_role;
