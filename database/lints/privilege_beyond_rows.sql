-- title: A role of requests has a privilege no policy narrows
-- level: error
-- scope: any
-- kind: table
-- hint: REVOKE TRUNCATE, REFERENCES, TRIGGER ON … FROM the roles of requests.
select c.name as object, r.name || ': ' || pg_catalog.string_agg(p.privilege, ', ') as detail
from relation c
cross join request_role r
cross join lateral (values ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) as p(privilege)
where c.relkind in ('r', 'p') and not r.rolsuper
  and not pg_catalog.pg_has_role(r.oid, c.relowner, 'usage') -- role_bypasses_rls names those
  and pg_catalog.has_table_privilege(r.oid, c.oid, p.privilege)
group by c.name, r.name
