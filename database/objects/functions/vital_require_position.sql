-- owner: vital_definer
--
-- Refuses to go on where this server has not come as far in the log as it must have; on a standby, what has been replayed counts, and
-- a server that is none any more is refused. It says nothing of a snapshot taken before. Definer for the reason vital.wal_position is.
--
-- A primary shows a commit a moment after its record was written, and a standby may have shown it in between. To be asked for by who has
-- seen it there, the primary settles first: it waits for the transactions that were running, one of which it may be, for up to
-- 50 ms, since the others may run for long.
create or replace function vital.require_position(p_least pg_lsn, p_standby boolean, p_settle boolean) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standby constant boolean := pg_is_in_recovery();
  present constant pg_lsn := case when standby then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end;
  seen constant pg_snapshot := pg_current_snapshot();
  running xid8[];
begin
  if present < p_least or p_standby and not standby then
    raise exception using errcode = 'VT210', message = 'The database has not come to the version that was asked for.',
      hint = 'Send a version that this server gave out. After a restore or a failover, read again without one.';
  end if;
  if p_settle then
    -- A snapshot lists those below its end; what lies above is running, up to the newest, which is known by its age.
    running := array(select pg_snapshot_xip(seen)) || array(
      select n::text::xid8
      from (select pg_snapshot_xmax(seen)::text::bigint as above) s,
        generate_series(s.above, s.above - 1 + age((s.above - 1)::text::xid8::xid)) n);
    for i in 1..100 loop
      exit when not exists (select from unnest(running) x where not pg_visible_in_snapshot(x, pg_current_snapshot()));
      perform pg_sleep(0.0005);
    end loop;
  end if;
end
$$;
comment on function vital.require_position(pg_lsn, boolean, boolean) is 'Refuses where the write-ahead log has not come far enough';
grant execute on function vital.require_position(pg_lsn, boolean, boolean) to anon, authenticated, service_role;
