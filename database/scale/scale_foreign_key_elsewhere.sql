-- title: A foreign key points at a row that may lie on another server
-- level: notice
-- scope: any
-- kind: constraint
-- hint: Between distributed tables a foreign key holds only where the tenant column of both sides stands in the same place. A row that tenants share is copied to each, or checked by whoever writes.
select r.source as object, r.name || ': ' || r.definition || ' finds ' || r.target || ' by ' || pg_catalog.quote_ident(a.attname) || ', and the row itself lies where '
  || r.source_column || pg_catalog.format(' says; alter table %s drop constraint %I', r.source, r.name) as detail
from reference_key r
cross join lateral rows from (pg_catalog.unnest(r.conkey), pg_catalog.unnest(r.confkey)) as pair(source, target)
join pg_catalog.pg_attribute a on a.attrelid = r.conrelid and a.attnum = pair.source
where r.source_place = 'distributed' and r.target_place = 'distributed' and pair.target = r.target_tenant and pair.source <> r.source_tenant
