-- title: A materialized view hands out rows no policy can hold back
-- level: error
-- scope: any
-- kind: materialized view
-- hint: Revoke it from the roles of requests and show it through a view or function that compares the tenant.
select c.name as object, 'rows of ' || v.tables || ' for ' || pg_catalog.string_agg(distinct r.role_name, ', ') as detail
from relation c
join view_of_rows v on v.view = c.oid
join reach r on r.relation = c.oid and r.readable
where c.relkind = 'm'
group by c.oid, c.name, v.tables
