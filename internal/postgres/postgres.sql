What the pools ask for themselves. Run as the login role, before any role is taken on.

-- name: MeetBackend
select pg_catalog.pg_backend_pid(), pg_catalog.clock_timestamp();

-- name: LoginPosture
select
  session_user::text,
  r.rolsuper,
  exists (
    select from pg_catalog.pg_roles b
    where (b.rolbypassrls or b.rolsuper) and pg_catalog.pg_has_role(session_user, b.oid, 'member')
  ),
  exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'p', 'v', 'm')
      and pg_catalog.pg_has_role(session_user, c.relowner, 'member')
  ),
  exists (
    select from pg_catalog.pg_roles b
    cross join pg_catalog.pg_namespace n -- by catalog: a name is not looked up without USAGE on its schema
    where n.nspname = 'vital' and pg_catalog.pg_has_role(session_user, b.oid, 'member') and (
      exists (
        select from pg_catalog.pg_class k
        where k.relnamespace = n.oid and k.relname = 'seal_keys'
          and pg_catalog.has_table_privilege(b.oid, k.oid, 'select, insert, update, delete'))
      or exists (
        select from pg_catalog.pg_proc f
        where f.pronamespace = n.oid and f.proname = 'seal_key' and pg_catalog.has_function_privilege(b.oid, f.oid, 'execute')))
  ),
  r.rolcreaterole or r.rolreplication or exists (
    select from pg_catalog.pg_roles b
    where pg_catalog.pg_has_role(session_user, b.oid, 'member')
      and (b.rolcreaterole or b.rolname in ('pg_read_all_data', 'pg_write_all_data',
        'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
  ),
  (
    select pg_catalog.count(*) = 2
    from pg_catalog.pg_roles b
    where b.rolname in ('anon', 'authenticated') and pg_catalog.pg_has_role(session_user, b.oid, 'member')
  )
from pg_catalog.pg_roles r
where r.rolname = session_user;

-- name: SchemaVersion
select vital.schema_version();

-- name: SealKey
select id, inner_pad, outer_pad from vital.seal_key();

-- name: MeetTransaction
select pg_catalog.pg_backend_pid(), pg_catalog.transaction_timestamp();

-- name: VerifiesIdentity
select pg_catalog.to_regprocedure('vital.identity()') is not null;

-- name: Begin
begin isolation level read committed read write;

-- name: BeginReadOnly
begin isolation level read committed read only;

-- name: BeginRepeatable
begin isolation level repeatable read read write;

-- name: BeginRepeatableReadOnly
begin isolation level repeatable read read only;

-- name: BeginSerializable
begin isolation level serializable read write;

-- name: BeginSerializableReadOnly
begin isolation level serializable read only;

-- name: Enter
select
  pg_catalog.set_config('role', $1, true),
  pg_catalog.set_config('vital.context', $2, true),
  pg_catalog.set_config('request.jwt.claims', '', true),
  pg_catalog.set_config('vital.request_id', $4, true),
  pg_catalog.set_config('vital.reason', '', true),
  pg_catalog.set_config('vital.raised', '', false), -- for the session: it is read behind the commit
  pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', true),
  pg_catalog.set_config('row_security', 'on', true),
  pg_catalog.set_config('statement_timeout', $3, true),
  pg_catalog.set_config('lock_timeout', $3, true),
  pg_catalog.set_config('idle_in_transaction_session_timeout', $3, true);

-- name: EnterService
select
  pg_catalog.set_config('role', 'service_role', true),
  pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', true);

-- name: EnterSnapshot
select
  pg_catalog.set_config('role', 'service_role', true),
  pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', true),
  pg_catalog.set_config('statement_timeout', '0', true);

-- name: EnterServiceWork
select
  pg_catalog.set_config('role', 'service_role', true),
  pg_catalog.set_config('vital.request_id', $2, true),
  pg_catalog.set_config('vital.raised', '', false),
  pg_catalog.set_config('search_path', 'pg_catalog, public, pg_temp', true),
  pg_catalog.set_config('statement_timeout', $1, true),
  pg_catalog.set_config('lock_timeout', $1, true),
  pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true);

-- name: RequireIdentity
select vital.tenant_for('read');

-- name: RequireMember
select (vital.require_member()).tenant_id;

-- name: RequireAccess
select a.tenant_id, a.recorded from vital.accessed_tenant($1) a;

-- name: RequireServiceAccess
select vital.service_access_recorded($1::pg_catalog.text[]::pg_catalog.uuid[]);

-- name: RecordAccess
select vital.record_access($1, $2, $3, $4, $5, $6);

-- name: RecordServiceAccess
select vital.record_service_access($7::pg_catalog.text[]::pg_catalog.uuid[], $1, $2, $3, $4, $5, $6);

-- name: ReadOnlyPart
savepoint vital_read;

-- name: ReadOnly
set transaction read only; -- until the savepoint is released: whoever only reads writes nothing, though their record is

-- name: ReadOnlyPartEnds
release savepoint vital_read;

-- name: Set
select pg_catalog.set_config(s.name, s.value, true)
from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as s(name, value);

-- name: Commit
commit;

-- name: ObserveTenant
set role anon;

-- name: ObserveService
set role service_role;

-- name: Observe
select vital.wal_position()::text, pg_catalog.left(pg_catalog.current_setting('vital.raised', true), 16384);

-- name: TakeRaised
select coalesce(pg_catalog.left(pg_catalog.current_setting('vital.raised', true), 16384), ''), pg_catalog.set_config('vital.raised', '', false);

-- name: Position
select vital.wal_position()::text;

-- name: RequirePosition
select vital.require_position($1, $2, $3);

-- name: FlushedPosition
select pg_catalog.pg_current_wal_flush_lsn()::text; -- what has only been written to memory is on its way to nobody

-- name: Identification
select c.system_identifier::text, d.oid, pg_catalog.pg_is_in_recovery()
from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
where d.datname = pg_catalog.current_database();

-- name: CheckConstraints
set constraints all immediate;

-- name: Rollback
rollback;

-- name: ScrubBegin
begin;

-- name: ScrubRole
reset role;

-- name: ScrubCursors
close all;

-- name: ScrubChannels
unlisten *;

-- name: ScrubSettings
reset all;

-- name: ScrubStatements
deallocate all;

-- name: ScrubSession
discard all;

-- name: Restore
rollback; reset role; close all; unlisten *; reset all;
