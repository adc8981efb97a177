-- owner: vital_definer
-- after: vital_apply_flag_change.sql
-- after: vital_fail_flag_change.sql
-- after: vital_postpone_flag_changes.sql
--
-- Makes the changes of flags whose time has come, in the order of their times, each in a subtransaction of
-- its own, with its audit row and version: one that cannot be made is marked as failed, with its error, and
-- the others go on. A tenant that keeps its own rows locked holds up nobody else: after a moment all that is
-- due of it is put off by a minute. What another session works on is left to it, so this may run anywhere and
-- any number of times. Its cost is that of what is due: partial indexes hold what is pending. Definer, because
-- nobody writes the schedule but its functions; for service_role alone.
create or replace function vital.apply_due_flag_changes(p_limit integer default 100, out applied integer, out failed integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patience constant text := current_setting('lock_timeout');
  due record;
  problem text;
  held boolean;
begin
  applied := 0;
  failed := 0;
  perform set_config('lock_timeout', '200ms', true);
  for due in
    (select c.run_at, null::uuid as tenant_id, c.id from public.feature_flag_changes c
      where c.status = 'pending' and c.run_at <= now() order by c.run_at, c.id limit p_limit)
    union all
    (select c.run_at, c.tenant_id, c.id from public.tenant_feature_flag_changes c
      where c.status = 'pending' and c.run_at <= now() order by c.run_at, c.tenant_id, c.id limit p_limit)
    order by 1, 2 nulls first, 3
    limit p_limit
  loop
    problem := null;
    held := false;
    perform set_config('vital.author', '', true), set_config('vital.reason', '', true); -- of the one before
    begin
      continue when not vital.apply_flag_change(due.tenant_id, due.id);
      set constraints all immediate;
      set constraints all deferred;
      applied := applied + 1;
    exception
      when serialization_failure or deadlock_detected or lock_not_available then
        held := true;
      when others then
        problem := sqlerrm;
    end;
    if problem is not null then
      begin
        perform vital.fail_flag_change(due.tenant_id, due.id, problem);
        set constraints all immediate;
        set constraints all deferred;
        failed := failed + 1;
      exception
        when serialization_failure or deadlock_detected or lock_not_available then
          held := true;
      end;
    end if;
    if held then
      perform vital.postpone_flag_changes(due.tenant_id);
    end if;
  end loop;
  perform set_config('vital.author', '', true), set_config('vital.reason', '', true), set_config('lock_timeout', patience, true);
end
$$;
comment on function vital.apply_due_flag_changes(integer) is 'Makes the changes of flags whose time has come';
grant execute on function vital.apply_due_flag_changes(integer) to service_role;
