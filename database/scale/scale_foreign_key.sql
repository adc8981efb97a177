-- title: A foreign key between tenants' tables does not say whose the row is
-- level: error
-- scope: any
-- kind: constraint
-- hint: Reference (tenant column, id), with the tenant column on both sides and in the same place: both rows then lie on one server.
select r.source as object, r.name || ': ' || r.definition || ' carries no ' || r.target_column || ' of ' || r.target
  || pg_catalog.format('; alter table %s drop constraint %I, add foreign key (%I, %s) references %s (%I, %s)',
    r.source, r.name, r.source_column, ours.columns, r.target, r.target_column, theirs.columns) as detail
from reference_key r
cross join lateral (
  select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by n.at) as columns
  from pg_catalog.unnest(r.conkey) with ordinality as n(attnum, at)
  join pg_catalog.pg_attribute a on a.attrelid = r.conrelid and a.attnum = n.attnum
  where n.attnum <> r.source_tenant
) ours
cross join lateral (
  select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by n.at) as columns
  from pg_catalog.unnest(r.confkey) with ordinality as n(attnum, at)
  join pg_catalog.pg_attribute a on a.attrelid = r.confrelid and a.attnum = n.attnum
) theirs
cross join scope s
where r.source_place = 'distributed' and r.target_place = 'distributed' and not r.target_tenant = any (r.confkey)
  and not (r.source || '.' || r.name) = any (s.excepted)
