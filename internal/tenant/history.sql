What `vital tenant history` asks, as service_role.

-- name: AuditedTables
-- Every table that a trigger of ours audits, the column that names its tenant ('' where its rows are the platform's), and whether some of its
-- changes make no row. tgargs ends each argument with a zero byte; tgtype has bits for insert, delete and update.
select n.nspname::text, c.relname::text,
  case when c.oid = 'public.organizations'::pg_catalog.regclass then 'id'
    else coalesce(pg_catalog.max(pg_catalog.split_part(pg_catalog.encode(t.tgargs, 'escape'), '\000', 1)), '') end,
  pg_catalog.bool_or(t.tgqual is not null or t.tgattr::text <> '') or pg_catalog.bit_or(t.tgtype) & 28 <> 28
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where t.tgfoid in ('vital.audit_change()'::pg_catalog.regprocedure, 'public.audit_organization_changes()'::pg_catalog.regprocedure)
  and not t.tgisinternal and t.tgenabled <> 'D' and t.tgparentid = 0
group by n.nspname, c.relname, c.oid
order by n.nspname, c.relname;

-- name: RowColumns
-- generated: the database makes it; required: a new row must be given it.
select a.attname::text, a.attgenerated <> '', a.attnotnull and not a.atthasdef and a.attidentity = ''
from pg_catalog.pg_attribute a
where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped
order by a.attnum;

-- name: RowLock
select (pg_catalog.to_jsonb(t) - array['created_at', 'updated_at', 'token_hash'])::text
from {table} t
where t.id = $1 and {whose}
for update;

-- name: RowEntries
-- The entries of one row, the latest first. Their values are read as the table's types and written again, so that they compare with a row as it
-- is: times were written in the time zone of whoever wrote them. Columns that are not there any more stay as they are.
select a.seq, a.created_at, a.action, a.erased_at is not null,
  coalesce(pg_catalog.jsonb_typeof(a.changes -> 'old') = 'object', false), coalesce(pg_catalog.jsonb_typeof(a.changes -> 'new') = 'object', false),
  coalesce(o.fields, '{}'), coalesce(n.fields, '{}')
from public.organization_audit_log a
cross join lateral (
  select pg_catalog.jsonb_object_agg(e.key, coalesce(r.fields -> e.key, e.value)) as fields
  from (select case pg_catalog.jsonb_typeof(a.changes -> 'old') when 'object' then a.changes -> 'old' else '{}' end as given) g
  cross join lateral (select pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(null::{table}, g.given)) as fields) r
  cross join lateral pg_catalog.jsonb_each(g.given) e
) o
cross join lateral (
  select pg_catalog.jsonb_object_agg(e.key, coalesce(r.fields -> e.key, e.value)) as fields
  from (select case pg_catalog.jsonb_typeof(a.changes -> 'new') when 'object' then a.changes -> 'new' else '{}' end as given) g
  cross join lateral (select pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(null::{table}, g.given)) as fields) r
  cross join lateral pg_catalog.jsonb_each(g.given) e
) n
where a.organization_id = $1 and a.entity = $2 and a.entity_id = $3
order by a.seq desc;

-- name: RowWait
-- Nobody is waited for longer.
select pg_catalog.set_config('lock_timeout', '5s', true);

-- name: RowReason
select vital.give_reason($1);

-- name: RowUpdate
update {table} t set {assignments}
from pg_catalog.jsonb_populate_record(null::{table}, $3::jsonb) r
where t.id = $1 and {whose};

-- name: RowInsert
insert into {table} ({columns}) overriding system value
select {values} from pg_catalog.jsonb_populate_record(null::{table}, $1::jsonb) r;

-- name: RowDelete
delete from {table} t where t.id = $1 and {whose};

-- name: RowSettle
-- What waits for the commit is done now, so that what refuses it is told of here.
set constraints all immediate;
