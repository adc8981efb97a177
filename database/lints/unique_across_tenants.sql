-- title: A unique key spans all tenants
-- level: error
-- scope: any
-- kind: index
-- hint: Put the tenant column into the key. A duplicate error otherwise tells one tenant what another has.
select t.name as object, i.indexrelid::pg_catalog.regclass::text || ' (' || pg_catalog.pg_get_indexdef(i.indexrelid) || ')' as detail
from tenant_table t
join pg_catalog.pg_index i on i.indrelid = t.oid and i.indisunique
join pg_catalog.pg_class x on x.oid = i.indexrelid
cross join scope s
where not t.excepted
  and exists (select from reach r where r.relation = t.oid)
  and not (t.name || '.' || x.relname) = any (s.excepted)
  and not t.tenant_attnum = any (i.indkey::pg_catalog.int2[])
  and not coalesce(pg_catalog.pg_get_expr(i.indexprs, i.indrelid) ~ ('\m' || t.tenant_column || '\M'), false)
  -- nobody chooses or guesses a uuid, or a number the database gives out
  and exists (
    select from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) as k(attnum)
    left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
    where a.attnum is null
      or a.atttypid <> 'pg_catalog.uuid'::pg_catalog.regtype and a.attidentity = ''
        and not exists (
          select from pg_catalog.pg_attrdef d
          where d.adrelid = t.oid and d.adnum = a.attnum and pg_catalog.pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'))
  and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indexrelid)
