-- The agent a tenant means: its own by that id, else the platform's, or that of the owner named. Another
-- tenant's answers like one that does not exist.
create or replace function vital.find_agent(p_tenant_id uuid, p_agent_id uuid, p_agent_tenant_id uuid) returns public.agents
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
declare
  agent public.agents;
begin
  select a.* into agent
  from public.agents a
  where a.id = p_agent_id and a.tenant_id in (p_tenant_id, '00000000-0000-0000-0000-000000000001')
    and (p_agent_tenant_id is null or a.tenant_id = p_agent_tenant_id)
  order by a.tenant_id = p_tenant_id desc
  limit 1;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such agent.',
      hint = 'A tenant has its own agents and those of the platform.';
  end if;
  return agent;
end
$$;
comment on function vital.find_agent(uuid, uuid, uuid) is 'The agent a tenant means: its own, else the platform''s';
grant execute on function vital.find_agent(uuid, uuid, uuid) to authenticated, service_role;
