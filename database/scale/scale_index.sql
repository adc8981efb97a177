-- title: No index of a tenants' table begins with its tenant column
-- level: warning
-- scope: any
-- kind: table
-- hint: Whoever asks for one tenant's rows reads everybody's, the slower the more tenants there are.
select p.name as object, p.tenant_column || pg_catalog.format('; create index concurrently on %s (%I)', p.name, p.tenant_column) as detail
from placed p
join pg_catalog.pg_class x on x.oid = p.oid and x.relpersistence = 'p' -- what is unlogged is there in passing
where p.tenant_attnum is not null
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = p.oid and i.indisvalid and i.indpred is null and i.indkey[0] = p.tenant_attnum)
