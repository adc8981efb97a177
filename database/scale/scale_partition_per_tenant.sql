-- title: A table has partitions by tenant
-- level: warning
-- scope: any
-- kind: table
-- hint: Their number grows with the tenants: every plan looks at all of them, every migration locks them, and some thousands are the end. Partition by time, or by a hash of the tenant.
select t.name as object, pg_catalog.pg_get_partkeydef(t.oid) || ', ' || (select pg_catalog.count(*) from pg_catalog.pg_inherits h where h.inhparent = t.oid)
  || ' partitions; make the table anew with partition by hash (' || pg_catalog.quote_ident(t.tenant_column) || ')' as detail
from tenant_table t
join pg_catalog.pg_partitioned_table p on p.partrelid = t.oid and p.partstrat in ('l', 'r') and p.partattrs[0] = t.tenant_attnum
