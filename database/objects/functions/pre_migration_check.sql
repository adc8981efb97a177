-- after: vital_require_operator.sql
--
-- What stands in the way of a migration, before it: one row for each check. status is OK, INFO, WARNING (it may take longer, or be
-- refused a lock) or FAIL, which `vital migrate up` does not go on after. Everybody's sessions are seen by who may see them; else that is
-- said. Runs with the caller's own rights, for super users, service_role and members of vital_owner.
create or replace function public.pre_migration_check()
returns table (check_type text, status text, message text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  sees constant boolean := has_function_privilege('pg_catalog.pg_stat_get_activity(integer)', 'execute') and pg_has_role('pg_read_all_stats', 'usage');
begin
  perform vital.require_operator();
  if sees then
    return query select 'active_sessions', case when count(*) > 100 then 'WARNING' else 'OK' end, 'Active sessions: ' || count(*)
      from pg_stat_activity a where a.state = 'active' and a.backend_type = 'client backend';
    return query select 'long_transactions', case when count(*) > 0 then 'WARNING' else 'OK' end,
        'Transactions older than 5 minutes: ' || count(*) || coalesce(' (processes ' || string_agg(a.pid::text, ', ' order by a.xact_start) || ')', '')
      from pg_stat_activity a
      where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < now() - interval '5 minutes';
  else
    return query values ('active_sessions', 'WARNING', 'Active sessions: not visible to this login'), ('long_transactions', 'WARNING', 'Long transactions: not visible to this login');
  end if;

  return query select 'data_volume', 'INFO', string_agg(format('%s: %s', initcap(replace(c.relname, '_', ' ')), greatest(c.reltuples, 0)::bigint), ', ' order by c.relname) || ' (estimated rows)'
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname in ('agents', 'organizations', 'users', 'chat_sessions', 'organization_audit_log');

  return query select 'table_locks', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Locked tables: ' || coalesce(string_agg(distinct c.relname, ', '), 'none')
    from pg_locks l join pg_class c on c.oid = l.relation
    where l.mode like '%ExclusiveLock' and l.mode <> 'RowExclusiveLock' and l.pid <> pg_backend_pid() and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and c.relnamespace in (select n.oid from pg_namespace n where n.nspname in ('public', 'vital', 'auth'));

  return query select 'prepared_transactions', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Prepared transactions: ' || count(*)
    from pg_prepared_xacts x where x.database = current_database();

  if pg_is_in_recovery() then
    return query values ('replication_lag', 'FAIL', 'This server is a standby: it cannot be migrated');
  elsif pg_has_role('pg_read_all_stats', 'usage') and has_function_privilege('pg_catalog.pg_stat_get_wal_senders()', 'execute') then
    return query select 'replication_lag', case when max(s.behind) > 64 * 1024 * 1024 then 'WARNING' else 'OK' end,
        'Replicas: ' || count(*) || coalesce(', the last one ' || pg_size_pretty(max(s.behind)) || ' behind', '')
      from (select pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) as behind from pg_stat_replication r) s;
  else
    return query values ('replication_lag', 'WARNING', 'Replicas: not visible to this login');
  end if;

  return query select 'disk', 'INFO', 'Size of the database: ' || case when has_database_privilege(current_database(), 'connect') then pg_size_pretty(pg_database_size(current_database())) end;

  return query select 'transaction_ids', case when age(d.datfrozenxid) > 1900000000 then 'FAIL' when age(d.datfrozenxid) > 1000000000 then 'WARNING' else 'OK' end,
      'Transactions since the oldest that is not frozen: ' || age(d.datfrozenxid)
    from pg_database d where d.datname = current_database();

  return query select 'unvalidated_constraints', case when count(*) > 0 then 'WARNING' else 'OK' end,
      'Constraints not validated: ' || coalesce(string_agg(format('%s on %s', n.conname, n.conrelid::regclass), ', ' order by n.conname), 'none')
    from pg_constraint n where not n.convalidated and n.connamespace in (select s.oid from pg_namespace s where s.nspname in ('public', 'vital', 'auth'));

  return query select 'invalid_indexes', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Invalid indexes: ' || coalesce(string_agg(i.indexrelid::regclass::text, ', '), 'none')
    from pg_index i where not i.indisvalid;
end
$$;
comment on function public.pre_migration_check() is 'What stands in the way of a migration, before it; for operators';
grant execute on function public.pre_migration_check() to service_role;
