-- title: A login of requests may become a role no policy binds
-- level: risk
-- scope: any
-- kind: role
-- hint: SQL injected into a request can SET ROLE to it. Give operators' work a login of its own, and revoke the membership.
select l.name as object,
  'member of ' || m.rolname || case when m.rolsuper then ', a superuser' when m.rolbypassrls then ', which has BYPASSRLS' else ', which owns tables' end as detail
from login l
join pg_catalog.pg_roles m on m.oid <> l.oid and pg_catalog.pg_has_role(l.oid, m.oid, 'member')
where not l.rolsuper
  and (m.rolsuper or m.rolbypassrls
    or not pg_catalog.pg_has_role(l.oid, m.oid, 'usage') and exists (select from relation c where c.relkind in ('r', 'p') and c.relowner = m.oid))
