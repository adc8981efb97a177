-- title: A primary key does not say whose the row is
-- level: error
-- scope: any
-- kind: constraint
-- hint: A table is distributed by its tenant column only where every key contains it: a server can keep unique what it holds, and nothing else.
select d.name as object, k.conname || ': ' || pg_catalog.pg_get_constraintdef(k.oid) || ' lacks ' || d.tenant_column
  || pg_catalog.format('; alter table %s drop constraint %I, add primary key (%I, %s)', d.name, k.conname, d.tenant_column, keys.columns)
  || coalesce(', behind ' || u.names || ', which point at it', '') as detail
from distributed d
join pg_catalog.pg_constraint k on k.conrelid = d.oid and k.contype = 'p' and not d.tenant_attnum = any (k.conkey)
cross join lateral (
  select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by n.at) as columns
  from pg_catalog.unnest(k.conkey) with ordinality as n(attnum, at)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.attnum
) keys
left join key_user u on u.index = k.conindid
cross join scope s
where not (d.name || '.' || k.conname) = any (s.excepted)
