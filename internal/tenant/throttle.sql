What tenants may take of the server.

-- name: Throttles
select v.key,
  coalesce(case pg_catalog.jsonb_typeof(c.limits -> 'requests_per_second') when 'number' then least(greatest((c.limits ->> 'requests_per_second')::numeric, 1), 1000000) end, 0)::pg_catalog.int4,
  coalesce(case pg_catalog.jsonb_typeof(c.limits -> 'concurrent_requests') when 'number' then least(greatest((c.limits ->> 'concurrent_requests')::numeric, 1), 1000000) end, 0)::pg_catalog.int4,
  v.version
from vital.versions_of(array_fill('tenant'::text, array[cardinality($1::uuid[])]), $1::uuid[]) v
left join public.tenant_configurations c on c.tenant_id = v.key;
