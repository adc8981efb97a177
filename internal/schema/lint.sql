What linting pending SQL asks of the database it would be applied to.

-- name: Tables
select n.nspname || '.' || c.relname, -- A table that was never analysed has -1: its size tells then.
  case when c.reltuples < 0 then (pg_catalog.pg_relation_size(c.oid) + 99) / 100 else c.reltuples end::bigint, pg_catalog.pg_table_size(c.oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';
