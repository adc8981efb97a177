-- title: A number that will run out
-- level: warning
-- scope: any
-- kind: column
-- hint: ALTER COLUMN … TYPE bigint writes the table anew under a lock, so do it while it is small; of a large one a second column is filled beside it.
select n.name as object, pg_catalog.format('%I: %s of %s used (%s %%); alter table %s alter column %I type bigint', n.column_name, coalesce(v.last, 0), m.most,
    pg_catalog.round(100.0 * coalesce(v.last, 0) / m.most, 1), n.name, n.column_name)
  || case when n.seqtypid <> 'pg_catalog.int8'::pg_catalog.regtype then pg_catalog.format('; alter sequence %s as bigint', n.seqrelid::pg_catalog.regclass) else '' end as detail
from numbered_column n
cross join lateral (select pg_catalog.pg_sequence_last_value(n.seqrelid) as last) v
cross join lateral (select case n.column_type when 'smallint' then 32767 when 'integer' then 2147483647 else n.seqmax end as most) m
where m.most <= 2147483647
  -- what VITAL numbers for itself grows with its versions
  and not exists (select from placed p where p.oid = n.relation and p.told and p.tenant_attnum is null)
