What looks for what is left. {hay} is a row as text, bytes made readable; {match} is whether that holds one of the needles:
$1 are patterns, $2 whole words for the many.

-- name: Match
({x} like any ($1::text[]) or pg_catalog.cardinality($2::text[]) > 0 and exists (
  select from pg_catalog.regexp_matches({x}, '{token}', 'g') w where w[1] = any ($2::text[])))

-- name: Look
-- One snapshot for all stretches of a table: a row that moves meanwhile is where it was.
set transaction isolation level repeatable read, read only;

-- name: LookSettings
select pg_catalog.set_config('row_security', 'off', true), pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('lock_timeout', '5s', true);

-- name: Relations
-- Everything that keeps rows: tables and their partitions, materialized views, large objects, comments and settings.
select n.nspname::text, c.relname::text,
  pg_catalog.array_agg(a.attname::text order by a.attnum), pg_catalog.array_agg(a.atttypid = 'pg_catalog.bytea'::pg_catalog.regtype order by a.attnum),
  pg_catalog.pg_total_relation_size(c.oid), pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and (c.relkind <> 'm' or c.relispopulated)
  or c.oid in ('pg_catalog.pg_largeobject'::pg_catalog.regclass, 'pg_catalog.pg_description'::pg_catalog.regclass,
    'pg_catalog.pg_db_role_setting'::pg_catalog.regclass)
group by c.oid, n.nspname, c.relname
order by 1, 2;

-- name: Statistics
-- What the planner remembers of values, by column.
select s.relation, s.column
from (
  select s.schemaname::text || '.' || s.tablename::text, s.attname::text, s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text
  from pg_catalog.pg_stats s
  union all
  select s.schemaname::text || '.' || s.tablename::text, s.statistics_name::text, s.most_common_vals::text, null, null
  from pg_catalog.pg_stats_ext s
) s (relation, "column", common, bounds, elements), lateral (select pg_catalog.lower(pg_catalog.concat_ws(' ', s.common, s.bounds, s.elements)) as hay offset 0) h
where {match}
order by 1, 2;

-- name: ForeignTables
select n.nspname::text || '.' || c.relname::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'f' order by 1;

-- name: CountHits
select pg_catalog.count(*), pg_catalog.count(*) filter (where {match})
from only {table} t, lateral (select pg_catalog.lower({hay}) as hay offset 0) h
where t.ctid >= $3::text::tid and t.ctid < $4::text::tid;

-- name: CountColumns
select array[{counts}]::int8[]
from only {table} t, lateral (select pg_catalog.lower({hay}) as hay offset 0) h
where t.ctid >= $3::text::tid and t.ctid < $4::text::tid and {match};

-- name: CountColumn
pg_catalog.count(*) filter (where {match})

-- name: SealedAudit
select pg_catalog.count(*) from public.organization_audit_log a where a.sealed is not null;

-- name: Needles
-- What an erasure is about, for looking again.
select e.subject, e.subject_id, e.people, coalesce(e.addresses, '{}') from vital.erasures e where e.id = $1;
