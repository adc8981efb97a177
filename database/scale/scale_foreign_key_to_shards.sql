-- title: A foreign key points at a distributed table from one that is not
-- level: notice
-- scope: any
-- kind: constraint
-- hint: Only tables distributed alike may reference a distributed one: give this one the tenant column, or let the constraint go.
select r.source as object, r.name || ': ' || r.definition || '; ' || r.source || ' is of the ' || r.source_place || '; '
  || case when r.source_tenant is null then pg_catalog.format('alter table %s add column %I …, or ', r.source, r.target_column) else '' end
  || pg_catalog.format('alter table %s drop constraint %I', r.source, r.name) as detail
from reference_key r
where r.source_place <> 'distributed' and r.target_place = 'distributed'
