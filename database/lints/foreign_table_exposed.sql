-- title: A foreign table hands out rows no policy can hold back
-- level: error
-- scope: any
-- kind: foreign table
-- hint: Revoke it from the roles of requests and show it through a view or function that compares the tenant.
select c.name as object, 'reachable by ' || pg_catalog.string_agg(distinct r.role_name, ', ') as detail
from relation c
join reach r on r.relation = c.oid
where c.relkind = 'f'
group by c.oid, c.name
