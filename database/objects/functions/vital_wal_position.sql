-- owner: vital_definer
--
-- How far in the log this server is: no transaction seen by a statement before this call was committed behind it. Definer, because
-- tenants' own SQL is not to measure what all tenants write.
create or replace function vital.wal_position() returns pg_lsn
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  replayed pg_lsn;
begin
  if not pg_is_in_recovery() then
    return pg_current_wal_insert_lsn();
  end if;
  replayed := pg_last_wal_replay_lsn();
  if pg_last_wal_receive_lsn() <= replayed then
    return replayed;
  end if;
  -- A commit is visible a moment before its record counts as replayed: the record that begins here may be one that was seen. Whoever
  -- has replayed more than up to here has replayed it whole.
  return replayed + 1;
end
$$;
comment on function vital.wal_position() is 'How far in the write-ahead log this server is';
grant execute on function vital.wal_position() to anon, authenticated, service_role;
