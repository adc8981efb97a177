-- title: A foreign key can point at another tenant's row
-- level: error
-- scope: any
-- kind: constraint
-- hint: Reference (tenant_id, id), with the tenant column on both sides: foreign keys are checked without policies.
select t.name as object, k.conname || ': ' || pg_catalog.pg_get_constraintdef(k.oid) as detail
from pg_catalog.pg_constraint k
join tenant_table t on t.oid = k.conrelid and not t.excepted
join tenant_table target on target.oid = k.confrelid and not target.excepted
cross join scope s
where k.contype = 'f' and k.conparentid = 0
  and not (t.name || '.' || k.conname) = any (s.excepted)
  and not exists ( -- the row's own tenant, or a column that a check holds against it
    select from rows from (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) as pair(source, target)
    where pair.target = target.tenant_attnum and (
      pair.source = t.tenant_attnum
      or exists (
        select from pg_catalog.pg_constraint held
        where held.conrelid = k.conrelid and held.contype = 'c' and held.conkey @> array[pair.source, t.tenant_attnum])))
