-- after: vital_require_admin.sql
-- after: vital_unassign_agent.sql
--
-- Takes an agent from those assigned to the tenant the caller administers. Row-level security stays in
-- force.
create or replace function public.unassign_agent(p_agent_id uuid, p_agent_tenant_id uuid default null) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  perform vital.unassign_agent(standing.tenant_id, p_agent_id, p_agent_tenant_id);
end
$$;
comment on function public.unassign_agent(uuid, uuid) is 'Takes an agent from those assigned to the caller''s tenant';
grant execute on function public.unassign_agent(uuid, uuid) to authenticated, service_role;
