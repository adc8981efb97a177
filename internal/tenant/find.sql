-- name: UserByEmail
select u.id from public.users u where pg_catalog.lower(u.email) = pg_catalog.lower($1) order by u.created_at limit 1;

-- name: UserByReference
select u.id from public.users u where pg_catalog.lower(u.email) = pg_catalog.lower($1) or u.id::text = pg_catalog.lower($1) order by u.created_at limit 1;

-- name: TenantByReference
select o.id from public.organizations o where o.slug = $1 or o.id::text = $1;
