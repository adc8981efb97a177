-- title: A table has no policy, so nobody but service_role reads it
-- level: error
-- hint: State every command in the table's file of database/objects/policies.
select c.oid::pg_catalog.regclass::text as object, 'no policy' as detail
from pg_catalog.pg_class c
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'p')
  and not exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid)
