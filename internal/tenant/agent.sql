What operators ask of a tenant's agents.

-- name: AgentList
select a.id, a.tenant_id = '00000000-0000-0000-0000-000000000001', a.slug, a.name, a.tier, a.status,
  a.tier = any (c.enabled_agent_tiers), t.is_enabled
from public.agents a
join public.tenant_configurations c on c.tenant_id = $1
left join public.tenant_agents t on t.tenant_id = $1 and t.agent_tenant_id = a.tenant_id and t.agent_id = a.id
where a.tenant_id in ($1, '00000000-0000-0000-0000-000000000001')
order by t.id is null, t.display_order, a.slug, a.id;

-- name: AgentByReference
select a.id, a.tenant_id
from public.agents a
where (a.slug = $2 or a.id::text = $2) and a.tenant_id in ($1, '00000000-0000-0000-0000-000000000001')
order by a.tenant_id = $1 desc
limit 1;

-- name: AgentAssignTo
select (t).id from vital.assign_agent($1, $2, $3) t;

-- name: AgentUnassignFrom
select vital.unassign_agent($1, $2, $3);
