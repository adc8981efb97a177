-- title: A unique key or exclusion does not say whose the row is
-- level: error
-- scope: any
-- kind: index
-- hint: Put the tenant column into the key, or keep what must be unique everywhere in a table of its own that is not distributed.
select d.name as object, x.relname || ': ' || coalesce(pg_catalog.pg_get_constraintdef(k.oid), 'unique (' || keys.columns || ')' || keys.condition) || ' lacks ' || d.tenant_column || '; '
  || case
    when k.contype = 'x' then pg_catalog.format('alter table %s drop constraint %I, add exclude using %s (%I with =, …)', d.name, k.conname, m.amname, d.tenant_column)
    when k.oid is not null then pg_catalog.format('alter table %s drop constraint %I, add unique (%I, %s)', d.name, k.conname, d.tenant_column, keys.columns)
    else pg_catalog.format('create unique index on %s (%I, %s)%s; drop index %s', d.name, d.tenant_column, keys.columns, keys.condition, i.indexrelid::pg_catalog.regclass)
  end || coalesce(', behind ' || u.names || ', which point at it', '') as detail
from distributed d
join pg_catalog.pg_index i on i.indrelid = d.oid and (i.indisunique or i.indisexclusion) and not i.indisprimary
join pg_catalog.pg_class x on x.oid = i.indexrelid
join pg_catalog.pg_am m on m.oid = x.relam
left join pg_catalog.pg_constraint k on k.conindid = i.indexrelid and k.conrelid = d.oid and k.contype in ('u', 'x')
cross join lateral (
  select pg_catalog.string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, n, true), ', ' order by n) as columns,
    coalesce(' where ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') as condition
  from pg_catalog.generate_series(1, i.indnkeyatts) as n
) keys
left join key_user u on u.index = i.indexrelid
cross join scope s
where not (d.name || '.' || x.relname) = any (s.excepted)
  and not exists ( -- the key's own columns, not those that are only included; of an exclusion those compared by =
    select from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality as n(attnum, at)
    where n.attnum = d.tenant_attnum and n.at <= i.indnkeyatts
      and (k.contype is distinct from 'x' or exists (select from pg_catalog.pg_operator o where o.oid = k.conexclop[n.at] and o.oprname = '=')))
