What the log of loads asks of the database, as service_role.

-- name: LoadsWriteBegin
set local synchronous_commit = off;

-- name: ServerStartWrite
insert into vital.server_starts (version, schema_version) values ($1, $2);

-- name: ServerStartsForget
delete from vital.server_starts where started_at < now() - interval '1 year';

-- name: Roll
select r.partition_name, r.done from vital.roll_query_performance($1) r;

-- name: TenantsOf
select f.place, m.tenant_id
from unnest($1::uuid[], $2::text[]) with ordinality f (user_id, named, place)
join public.user_tenants m on m.user_id = f.user_id and m.status = 'active' and m.tenant_id = case
  when f.named = '' then (select u.organization_id from public.users u where u.id = f.user_id)
  when f.named ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then f.named::uuid
  else (select o.id from public.organizations o where o.slug = f.named)
end;
