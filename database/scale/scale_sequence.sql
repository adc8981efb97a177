-- title: A number that one sequence gives out to all servers
-- level: notice
-- scope: any
-- kind: column
-- hint: Of bigints every server gives out a range of its own: they stay unique and are in no order. Smaller types cannot be divided. A uuid needs no sequence.
select d.name as object, pg_catalog.format('%I %s from %s; ', n.column_name, n.column_type, n.seqrelid::pg_catalog.regclass) || case
    when n.atttypid = 'pg_catalog.int8'::pg_catalog.regtype and n.seqtypid = n.atttypid then 'stays, but nothing may be read from its order'
    else pg_catalog.format('alter table %s alter column %I type bigint; alter sequence %s as bigint', d.name, n.column_name, n.seqrelid::pg_catalog.regclass)
  end as detail
from distributed d
join numbered_column n on n.relation = d.oid
