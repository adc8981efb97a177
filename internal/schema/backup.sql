What making and restoring backups asks of the database, as an operator.

-- name: Snapshot
select pg_catalog.pg_export_snapshot();

-- name: SeeEverything
set local row_security = off;

-- name: RowCounts
select pg_catalog.format('%I.%I', n.nspname, c.relname),
  (pg_catalog.xpath('/row/n/text()', pg_catalog.query_to_xml(pg_catalog.format('select pg_catalog.count(*) as n from only %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e');

-- name: DatabaseSize
select pg_catalog.current_database()::text, pg_catalog.pg_database_size(pg_catalog.current_database());

-- name: SchemaVersion
select coalesce(max(version_id), 0) from vital.migrations where is_applied;

-- name: RoleStatements
-- What makes the same roles on another server, but for whoever is the superuser there; nobody can log in as one.
select s.text
from (
  select 1 as place, r.rolname, pg_catalog.format('create role %I nologin %s %s', r.rolname,
    case when r.rolbypassrls then 'bypassrls' else 'nobypassrls' end, case when r.rolinherit then 'inherit' else 'noinherit' end) as text
  from pg_catalog.pg_roles r where r.rolname !~ '^pg_' and r.rolname <> all ($1)
  union all
  select 2, r.rolname, pg_catalog.format('grant %I to %I', r.rolname, m.rolname)
  from pg_catalog.pg_auth_members a
  join pg_catalog.pg_roles r on r.oid = a.roleid
  join pg_catalog.pg_roles m on m.oid = a.member
  where r.rolname <> all ($1) and m.rolname <> all ($1) and m.rolname !~ '^pg_'
) s
order by s.place, s.rolname, s.text;

-- name: RoleNames
select rolname::text from pg_catalog.pg_roles where rolname !~ '^pg_';

-- name: DatabaseCreate
create database {name} template template0;

-- name: DatabaseDrop
drop database if exists {name} with (force);

-- name: DatabaseClose
alter database {name} with allow_connections false;

-- name: DatabaseOpen
alter database {name} with allow_connections true;

-- name: SessionsEnd
select pg_catalog.pg_terminate_backend(a.pid, 5000) from pg_catalog.pg_stat_activity a where a.datname = $1 and a.pid <> pg_catalog.pg_backend_pid();

-- name: DatabaseRename
alter database {name} rename to {other};

-- name: TableNames
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: RelationIds
select pg_catalog.array_agg(c.oid) from pg_catalog.pg_class c where c.oid >= 16384;

-- name: Locks
-- What a migration holds at its end, of the tables that were there before it: what readers or writers wait for.
select n.nspname || '.' || c.relname, l.mode
from pg_catalog.pg_locks l
join pg_catalog.pg_class c on c.oid = l.relation
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where l.pid = pg_catalog.pg_backend_pid() and l.granted and c.oid = any ($1) and c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
  and l.mode in ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')
order by 1, 2;
