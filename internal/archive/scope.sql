What is a tenant's, found in the catalog: a table that is made tomorrow is in as soon as it says whose its rows are.

-- name: SeeEverything
-- A login that policies bind is refused, instead of being shown a part.
set local row_security = off;

-- name: Scope
-- Every table but the system's, VITAL's own and the accounts', parts of partitioned tables aside, with the column that names its tenant: tenant_id,
-- else the first of its primary key that references organizations, else another such column that is never null. '' where there is none.
with relation as (
  select c.oid, n.nspname as schema, c.relname as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'vital', 'auth')
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
), attribute as (
  select r.oid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.attgenerated, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
    pg_catalog.array_position(i.indkey::int2[], a.attnum) as key_place
  from relation r
  join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_catalog.pg_index i on i.indrelid = r.oid and i.indisprimary
), naming as (
  select distinct on (a.oid) a.oid, a.attname
  from attribute a
  where a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype and a.attnotnull and (
    a.attname = 'tenant_id' or exists (
      select from pg_catalog.pg_constraint f
      where f.contype = 'f' and f.conrelid = a.oid and f.confrelid = 'public.organizations'::pg_catalog.regclass and f.conkey = array[a.attnum]))
  order by a.oid, a.attname = 'tenant_id' desc, a.key_place nulls last, a.attnum
)
select r.schema::text, r.name::text,
  case when r.oid = 'public.organizations'::pg_catalog.regclass then 'id' else coalesce(t.attname::text, '') end as tenant_column,
  array(select a.attname::text from attribute a where a.oid = r.oid and a.key_place is not null order by a.key_place) as key,
  array(select a.attname::text from attribute a where a.oid = r.oid and a.attgenerated = '' order by a.attnum) as columns,
  array(select a.type from attribute a where a.oid = r.oid and a.attgenerated = '' order by a.attnum) as types
from relation r
left join naming t on t.oid = r.oid
order by r.schema, r.name;

-- name: Tenant
select o.id, o.slug::text, o.name::text, o.tenant_type::text, o.tenant_key::text, pg_catalog.current_setting('server_version'),
  (select max(m.version_id) from vital.migrations m where m.is_applied), pg_catalog.clock_timestamp()
from public.organizations o
where o.id = $1;

-- name: Read
-- A tenant's rows of one table, in the order of its key.
select pg_catalog.to_jsonb(t)::text from {table} t where t.{tenant_column} = $1 order by {order};

-- name: ReadMembers
-- What one of the tables of accounts has of a tenant's members: these belong to people and not to tenants.
select pg_catalog.to_jsonb(t)::text from {table} t
where t.id in (select m.user_id from public.user_tenants m where m.tenant_id = $1) order by t.id;

-- name: TakeTurn
select pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('vital archive of ' || $1::text, 0));

-- name: Unreadable
-- A table that the role may not read; no row where there is none.
select t from pg_catalog.unnest($1::text[]) t where not pg_catalog.has_table_privilege(t, 'select') order by t limit 1;
