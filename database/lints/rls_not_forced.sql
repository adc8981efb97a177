-- title: A table of schema public does not enforce row-level security
-- level: error
-- scope: vital
-- kind: table
-- hint: Enable and force it in the table's file of database/objects/policies.
select c.name as object,
  case when not c.relrowsecurity then 'not enabled' else 'enabled, but not forced: its owner is not bound' end as detail
from relation c
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'p')
  and not (c.relrowsecurity and c.relforcerowsecurity)
