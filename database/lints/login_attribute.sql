-- title: The server's login is more than it may be
-- level: error
-- scope: vital
-- kind: role
-- hint: vital_api is LOGIN NOINHERIT, no superuser, without BYPASSRLS, CREATEROLE or CREATEDB, and a member of anon and authenticated alone.
select r.rolname::text as object, a.what as detail
from pg_catalog.pg_roles r
cross join lateral (
  select 'superuser' as what where r.rolsuper
  union all select 'BYPASSRLS' where r.rolbypassrls
  union all select 'CREATEROLE' where r.rolcreaterole
  union all select 'CREATEDB' where r.rolcreatedb
  union all select 'REPLICATION' where r.rolreplication
  union all
  select 'member of ' || m.roleid::pg_catalog.regrole::text
  from pg_catalog.pg_auth_members m
  where m.member = r.oid and m.roleid::pg_catalog.regrole::text not in ('anon', 'authenticated')
) a
where r.rolname = 'vital_api'
