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

-- name: ServerIdentity
-- Made by initdb, the same after a crash, another on every other server; '' where this login may not ask.
select case when pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') then (select c.system_identifier::text from pg_catalog.pg_control_system() c) else '' end;

-- name: SchemaVersion
select coalesce(max(version_id), 0) from vital.migrations where is_applied;

-- name: RoleStatements
-- What makes the same roles on another server, but for whoever is the superuser there; nobody can log in as one. Who owns an event
-- trigger is a superuser there, or it could not be restored: platforms let others own one, too.
select s.text
from (
  select 1 as place, r.rolname, pg_catalog.format('create role %I nologin %s %s %s', r.rolname,
    case when r.rolsuper or exists (select from pg_catalog.pg_event_trigger e where e.evtowner = r.oid) then 'superuser' else 'nosuperuser' end,
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

-- name: DatabaseLike
-- What makes a database as closed and as set up as the one it takes the place of: encoding, locale and owner when it is made, and
-- then privileges and settings, which a dump does not hold.
select pg_catalog.format('create database %I template template0 encoding %L lc_collate %L lc_ctype %L owner %I',
  $2::text, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, pg_catalog.pg_get_userbyid(d.datdba))
from pg_catalog.pg_database d where d.datname = $1
union all
select pg_catalog.format('revoke all on database %I from public', $2::text) from pg_catalog.pg_database d where d.datname = $1 and d.datacl is not null
union all
select pg_catalog.format('grant %s on database %I to %s%s', a.privilege_type, $2::text,
  case a.grantee when 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end, case when a.is_grantable then ' with grant option' else '' end)
from pg_catalog.pg_database d cross join lateral pg_catalog.aclexplode(d.datacl) a where d.datname = $1
union all
select pg_catalog.format('alter %s set %I to %s',
  case s.setrole when 0 then pg_catalog.format('database %I', $2::text) else pg_catalog.format('role %I in database %I', pg_catalog.pg_get_userbyid(s.setrole), $2::text) end,
  c.name, case when c.name in ('search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces') then c.value else pg_catalog.quote_literal(c.value) end)
from pg_catalog.pg_database d
join pg_catalog.pg_db_role_setting s on s.setdatabase = d.oid
cross join lateral (select pg_catalog.split_part(x, '=', 1), pg_catalog.substr(x, pg_catalog.strpos(x, '=') + 1) from pg_catalog.unnest(s.setconfig) x) c (name, value)
where d.datname = $1;

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
