-- title: A function that asks every server
-- level: notice
-- scope: any
-- kind: function
-- hint: A statement that names no tenant goes to all servers and is as slow as the slowest. Name the tenant, count ahead, or leave it to a report.
select f.name as object, 'names ' || pg_catalog.string_agg(d.name, ', ' order by d.name) || ' and never ' || pg_catalog.string_agg(distinct d.tenant_column, ', ') as detail
from function_text f
join distributed d on pg_catalog.strpos(f.body, pg_catalog.split_part(d.name, '.', -1)) > 0
  and f.body ~ ('\m(from|join|into|update)\s+(only\s+)?("?\w+"?\.)?' || pg_catalog.split_part(d.name, '.', -1) || '\M')
  and f.body !~ ('\m' || d.tenant_column || '\M')
join pg_catalog.pg_proc p on p.oid = f.oid and p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
group by f.name
