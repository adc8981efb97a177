What is told of the matrix beside its cells. The cells' own query is vital.rls_matrix, in database/objects.

-- name: Settle
set local search_path = pg_catalog, pg_temp;

-- name: Uncompiled
set local jit = off;

-- name: UnknownNames
select pg_catalog.format('schema %I', s) as name
from pg_catalog.unnest($1::text[]) s
where not exists (select from pg_catalog.pg_namespace n where n.nspname = s)
union all
select pg_catalog.format('role %I', r)
from pg_catalog.unnest($2::text[]) r
where r <> 'PUBLIC' and not exists (select from pg_catalog.pg_roles n where n.rolname = r);

-- name: RolesDescribe
select r.rolname::text as name, r.rolcanlogin as login, r.rolsuper as superuser, r.rolbypassrls as bypass_rls, r.rolinherit as inherit,
  array(
    select g.rolname::text
    from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles g on g.oid = m.roleid
    where m.member = r.oid
    order by 1
  ) as member_of
from pg_catalog.pg_roles r
where r.rolname = any ($1::text[]);

-- name: PoliciesCount
select n.nspname::text as schema, p.polcmd::text as letter, pg_catalog.count(*)::integer as policies
from pg_catalog.pg_policy p
join pg_catalog.pg_class c on c.oid = p.polrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where pg_catalog.quote_ident(n.nspname) = any ($1::text[])
group by 1, 2
order by 1, 2;

-- name: DatabaseDescribe
select pg_catalog.current_database()::text as name, pg_catalog.current_setting('server_version') as version,
  exists (
    select
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'vital' and c.relname = 'applied_files'
  ) and 'public' = any ($1::text[]) as ours;
