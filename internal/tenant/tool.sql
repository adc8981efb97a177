What operators ask of tools.

-- name: ToolList
select t.id, o.slug, t.slug, t.name, t.tool_type, t.is_active, t.deprecated, t.deprecated_reason, r.slug
from public.tools t
join public.organizations o on o.id = t.tenant_id
left join public.tools r on r.tenant_id = t.replacement_tool_tenant_id and r.id = t.replacement_tool_id
where $1::uuid is null or t.tenant_id in ($1, '00000000-0000-0000-0000-000000000001')
order by o.slug, t.slug
limit $2;

-- name: ToolByReference
select t.id
from public.tools t
where (t.slug = $2 or t.id::text = $2) and t.tenant_id in ($1, $3)
order by t.tenant_id = $1 desc
limit 1;

-- name: ToolDeprecate
select (t).id from vital.deprecate_tool($1, $2, $3, $4) t;

-- name: ToolHealth
select h.tool_id, h.tool_name, h.total_uses, h.success_rate::float8, h.avg_execution_time_ms::float8, h.unique_tenants, h.health_status,
  h.deprecated, (select r.slug from public.tools r where r.id = h.replacement_tool_id limit 1)
from vital.tool_health($1, $2) h;
