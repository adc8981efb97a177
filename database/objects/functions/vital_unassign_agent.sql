-- after: vital_require_changeable.sql
--
-- Takes an agent from a tenant's assigned ones, for public.unassign_agent and operators: its own by that
-- id, else the platform's. The caller's policies decide whether it may.
create or replace function vital.unassign_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid default null) returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_changeable(p_tenant_id);
  delete from public.tenant_agents t
  where t.tenant_id = p_tenant_id and t.id = (
    select m.id from public.tenant_agents m
    where m.tenant_id = p_tenant_id and m.agent_id = p_agent_id and (p_agent_tenant_id is null or m.agent_tenant_id = p_agent_tenant_id)
    order by m.agent_tenant_id = p_tenant_id desc
    limit 1);
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such assigned agent.',
      hint = 'Assigned agents are those of the table tenant_agents.';
  end if;
end
$$;
comment on function vital.unassign_agent(uuid, uuid, uuid) is 'Takes an agent from a tenant''s assigned ones';
grant execute on function vital.unassign_agent(uuid, uuid, uuid) to authenticated, service_role;
