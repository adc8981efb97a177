What is asked to find out whether what is remembered is true.

-- name: Members
select m.tenant_id, m.user_id, u.email
from public.user_tenants m tablesample system ($1)
join public.users u on u.id = m.user_id
where m.status = 'active'
order by pg_catalog.random()
limit $2;

-- name: MemberEstimate
select c.reltuples::float8 from pg_catalog.pg_class c where c.oid = 'public.user_tenants'::pg_catalog.regclass;

-- name: ContextBuild
select c.version, c.body::text from vital.build_context($1, $2) c;
