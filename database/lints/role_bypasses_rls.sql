-- title: Requests run as a role no policy binds
-- level: error
-- scope: any
-- kind: role
-- hint: Requests run as a role that owns nothing and is NOSUPERUSER NOBYPASSRLS; owners and operators have logins of their own.
select r.name as object, x.what as detail
from (select * from request_role union select * from login) r
cross join lateral (
  select 'superuser' as what where r.rolsuper
  union all
  select 'BYPASSRLS' where r.rolbypassrls
  union all
  select 'owns ' || pg_catalog.string_agg(c.name, ', ' order by c.name)
  from (select c.name from relation c
    where c.relkind in ('r', 'p') and not r.rolsuper and pg_catalog.pg_has_role(r.oid, c.relowner, 'usage')
    order by c.name limit 3) c
  having pg_catalog.count(*) > 0
) x
