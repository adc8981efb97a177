How an archive's rows are brought beside a tenant's, in temporary tables, and compared. {…} are names from the catalog, quoted, and
lists and conditions made of such names.

-- name: Patience
-- Whoever locks a row of the tenant is not waited for without end.
set local lock_timeout = '10s';

-- name: LockTenant
select o.id from public.organizations o where o.id = $1 for no key update;

-- name: SchemaVersion
select coalesce(max(m.version_id), 0) from vital.migrations m where m.is_applied;

-- name: Shapes
-- What a table's columns take, and whether its comment says that it is of records.
select n.nspname::text, c.relname::text,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    and a.attnotnull and not a.atthasdef and a.attidentity = '' and a.attgenerated = '') as required,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull) as never_null,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    and a.attnotnull and a.attgenerated = '' and a.atttypid in ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype)) as documents,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attidentity = 'a') as counted,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as everything,
  coalesce(pg_catalog.obj_description(c.oid, 'pg_class') ilike '%only ever appended to%', false) as is_record
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: References
-- Every foreign key: of which columns, to which, which of them may be null, and whether it can be looked at at the end.
select cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text, f.condeferrable,
  array(select a.attname::text from pg_catalog.unnest(f.conkey) with ordinality k (num, n)
    join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num order by k.n) as columns,
  array(select a.attname::text from pg_catalog.unnest(f.confkey) with ordinality k (num, n)
    join pg_catalog.pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num order by k.n) as referenced,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = f.conrelid and a.attnum = any (f.conkey) and not a.attnotnull) as nullable
from pg_catalog.pg_constraint f
join pg_catalog.pg_class c on c.oid = f.conrelid
join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
join pg_catalog.pg_class p on p.oid = f.confrelid
join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
where f.contype = 'f' and f.conparentid = 0
order by 1, 2, f.conname;

-- name: LinesMake
create temporary table {lines} (line text not null) on commit drop;

-- name: LinesEmpty
truncate {lines};

-- name: LinesCopy
-- JSON as to_jsonb writes it has neither of the characters that would end or quote a value.
copy {lines} (line) from stdin (format csv, quote e'\x01', delimiter e'\x02');

-- name: ThenMake
create temporary table {then} on commit drop as select t.* from {table} t where false;

-- name: ThenFill
insert into {then} select r.* from {lines} l cross join lateral pg_catalog.jsonb_populate_record(null::{table}, l.line::pg_catalog.jsonb) r;

-- name: ThenDocument
-- JSON has one null for both: where the column takes no SQL null, it was the other.
update {then} set {column} = 'null' where {column} is null;

-- name: ThenAnalyze
analyze {then};

-- name: ThenStrangers
select pg_catalog.count(*) from {then} s where s.{tenant_column} is distinct from $1;

-- name: ThenCount
select pg_catalog.count(*) from {then};

-- name: HasRows
select exists (select from {table} t where t.{tenant_column} = $1);

-- name: CompareCount
-- Rows there are now alone, there were then alone, and in both but not the same, but for columns that do not count.
select pg_catalog.count(*) filter (where s.{first_key} is null), pg_catalog.count(*) filter (where t.{first_key} is null),
  pg_catalog.count(*) filter (where t.{first_key} is not null and s.{first_key} is not null and (pg_catalog.to_jsonb(t) - $2::text[])::text is distinct from (pg_catalog.to_jsonb(s) - $2::text[])::text)
from (select x.* from {table} x where x.{tenant_column} = $1) t
full join {then} s on {same_key};

-- name: CompareRows
select case when s.{first_key} is null then null else pg_catalog.to_jsonb(s)::text end, case when t.{first_key} is null then null else pg_catalog.to_jsonb(t)::text end
from (select x.* from {table} x where x.{tenant_column} = $1) t
full join {then} s on {same_key}
where t.{first_key} is null or s.{first_key} is null or (pg_catalog.to_jsonb(t) - $2::text[])::text is distinct from (pg_catalog.to_jsonb(s) - $2::text[])::text
order by {order};

-- name: CompareCountUnkeyed
-- Of a table without a primary key a row is changed by being another: there are so many more or fewer of the same.
select coalesce(pg_catalog.sum(greatest(d.n, 0)), 0)::bigint, coalesce(pg_catalog.sum(greatest(-d.n, 0)), 0)::bigint, 0::bigint
from (
  select pg_catalog.sum(r.n) as n
  from (
    select (pg_catalog.to_jsonb(t) - $2::text[])::text as row, 1 as n from {table} t where t.{tenant_column} = $1
    union all
    select (pg_catalog.to_jsonb(s) - $2::text[])::text, -1 from {then} s
  ) r
  group by r.row
) d;

-- name: CompareRowsUnkeyed
select case when d.n < 0 then d.row end, case when d.n > 0 then d.row end
from (
  select r.row, pg_catalog.sum(r.n) as n
  from (
    select (pg_catalog.to_jsonb(t) - $2::text[])::text as row, 1 as n from {table} t where t.{tenant_column} = $1
    union all
    select (pg_catalog.to_jsonb(s) - $2::text[])::text, -1 from {then} s
  ) r
  group by r.row
) d
cross join lateral pg_catalog.generate_series(1, pg_catalog.abs(d.n))
where d.n <> 0
order by d.row;
