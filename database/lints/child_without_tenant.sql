-- title: A table hangs on a tenants' table and has no tenant column
-- level: risk
-- scope: any
-- kind: table
-- hint: Give it the tenant column and a foreign key that carries it; until then its policy must look the parent up for every row.
select c.name as object, pg_catalog.string_agg(k.conname || ' references ' || t.name, ', ' order by k.conname) as detail
from relation c
join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
join tenant_table t on t.oid = k.confrelid and not t.excepted
where c.oid not in (select x.oid from tenant_table x) and not c.excepted
  and exists (select from reach r where r.relation = c.oid)
group by c.name
