-- The operator's step: roles, schemas and the privileges PostgreSQL gives to everybody by default.
--
-- Roles belong to the whole cluster and are not part of any migration. This file may be run again at
-- any time; `vital migrate up` runs it first. It needs a superuser before PostgreSQL 16 (only a
-- superuser may create a BYPASSRLS role there), later a role with CREATEROLE and BYPASSRLS.
-- Roles that a Supabase project brings along (anon, authenticated, service_role) are used as they are.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      -- name              attributes                          who it is
      ('anon',             'nologin noinherit',                'a request without a user'),
      ('authenticated',    'nologin noinherit',                'a request of a signed-in user'),
      ('service_role',     'nologin noinherit bypassrls',      'operators and jobs'),
      ('vital_owner',      'nologin noinherit',                'owns every table, view and invoker function'),
      ('vital_definer',    'nologin noinherit bypassrls',      'owns security definer functions, nothing else'),
      ('vital_sealer',     'nologin noinherit',                'owns the seal key and the one function that verifies with it'),
      ('vital_api',        'login noinherit',                  'the server''s login: may become anon and authenticated'),
      ('vital_service',    'login noinherit',                  'the server''s second login: may become service_role')
    ) as w(name, attributes, purpose)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
      execute format('comment on role %I is %L', wanted.name, 'VITAL: ' || wanted.purpose);
    end if;
  end loop;
end
$$;

grant anon, authenticated to vital_api;
grant service_role to vital_service;

-- Whoever migrates acts as the owners, one statement at a time (SET LOCAL ROLE).
do $$
begin
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant vital_owner, vital_definer, vital_sealer to %I', current_user);
  end if;
end
$$;

create schema if not exists vital authorization vital_owner;
comment on schema vital is 'VITAL internals: versions, seal keys, applied objects, migrations';

-- auth is Supabase's. Where it does not exist we make a compatible one; where it does, it is left alone.
do $$
begin
  if not exists (select from pg_catalog.pg_namespace where nspname = 'auth') then
    create schema auth authorization vital_owner;
    comment on schema auth is 'Accounts and the caller''s identity, compatible with Supabase';
    grant usage on schema auth to anon, authenticated, service_role;
  end if;
end
$$;

revoke create on schema public from public;
grant usage on schema public to anon, authenticated, service_role;
grant usage, create on schema public to vital_owner, vital_definer;
grant usage on schema vital to anon, authenticated, service_role, vital_service, vital_api;
grant usage, create on schema vital to vital_definer, vital_sealer;

-- A function is executable by nobody until its own file says by whom.
alter default privileges for role vital_owner revoke execute on functions from public;
alter default privileges for role vital_definer revoke execute on functions from public;
alter default privileges for role vital_sealer revoke execute on functions from public;

-- Definer functions read and write tables they do not own.
alter default privileges for role vital_owner in schema public
  grant select, insert, update, delete on tables to vital_definer;

-- Temporary objects shadow names: a temporary domain called uuid once ran an attacker's code as the owner.
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
exception when insufficient_privilege then
  raise warning 'cannot revoke TEMPORARY on this database: a standing risk, see vital check rls';
end
$$;

-- What lets one tenant's SQL see, disturb or outlive another's. Where a managed platform forbids a
-- revoke, installing goes on and `vital check rls` names what stays open.
do $$
declare
  f record;
begin
  for f in
    select p.oid, p.oid::pg_catalog.regprocedure as signature
    from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
      and (p.proname like 'pg\_advisory\_%' or p.proname like 'pg\_try\_advisory\_%'
        or p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite')
        -- every tenant's session has one login, whose sessions these show to each other
        or p.proname in ('pg_terminate_backend', 'pg_cancel_backend', 'pg_prepared_statement', 'pg_lock_status', 'pg_blocking_pids', 'pg_safe_snapshot_blocking_pids')
        -- how many rows all tenants together have, write and read, and when
        or p.proname like 'pg\_stat\_get\_%' or p.proname like 'pg\_stat\_statements%'
        or p.proname in ('pg_relation_size', 'pg_total_relation_size', 'pg_table_size', 'pg_indexes_size', 'pg_database_size', 'pg_tablespace_size',
          'pg_current_wal_lsn', 'pg_current_wal_insert_lsn', 'pg_current_wal_flush_lsn', 'pg_last_wal_receive_lsn', 'pg_last_wal_replay_lsn', 'pg_last_committed_xact', 'pg_xact_commit_timestamp', 'pg_xact_commit_timestamp_origin', 'pg_sequence_last_value'))
  loop
    begin
      execute format('revoke execute on function %s from public', f.signature);
      execute format('grant execute on function %s to service_role, vital_service, vital_owner, pg_monitor', f.signature);
      if f.signature::text ~ '^pg_(current_wal_insert|last_wal_receive|last_wal_replay)_lsn' then -- for vital.wal_position
        execute format('grant execute on function %s to vital_definer', f.signature);
      end if;
    exception when insufficient_privilege then
      raise warning 'cannot revoke % from PUBLIC: a standing risk, see vital check rls', f.signature;
    end;
  end loop;
end
$$;

do $$
declare
  f record;
begin
  for f in
    select p.oid::pg_catalog.regprocedure as signature
    from pg_catalog.pg_proc p
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
    join pg_catalog.pg_extension e on d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and e.oid = d.refobjid
    where e.extname in ('dblink', 'pg_stat_statements')
  loop
    begin
      execute format('revoke execute on function %s from public', f.signature);
    exception when insufficient_privilege then
      raise warning 'cannot revoke % from PUBLIC: a standing risk, see vital check rls', f.signature;
    end;
  end loop;
  if to_regclass('public.pg_stat_statements') is not null then
    revoke all on public.pg_stat_statements from public;
  end if;
end
$$;
