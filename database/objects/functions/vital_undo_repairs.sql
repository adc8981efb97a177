-- owner: vital_definer
-- after: vital_write_repair.sql
-- after: vital_give_reason.sql
--
-- Takes back what the repairs of p_run wrote, from their audit rows, the last first, and returns how many rows that were. A row that
-- somebody has changed meanwhile makes it refuse, and nothing is taken back; so do audit rows of that time, or the ten minutes before, that
-- are sealed: some of the run's may be among them. Anybody may give a reason, and so this one: only
-- rows that no user and no server's request has written are believed, of tables that repairs write.
create or replace function vital.undo_repairs(p_run uuid) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  audited record;
  undone bigint := 0;
  first timestamptz;
  last timestamptz;
begin
  perform vital.give_reason(format('undo of repair %s', p_run));
  for audited in
    select l.entity, l.organization_id, l.entity_id, l.changes, l.created_at
    from public.organization_audit_log l
    where starts_with(l.reason, format('repair %s: ', p_run))
      and l.actor_id is null and l.database_role not in ('vital_api', 'authenticator')
      and l.entity in ('users', 'profiles', 'user_tenants', 'tenant_configurations', 'tenant_apps', 'tenant_feature_flags', 'agents', 'invitations')
    order by l.created_at desc, l.seq desc
  loop
    perform vital.write_repair(audited.entity, audited.organization_id, audited.entity_id,
      nullif(audited.changes -> 'new', 'null'), nullif(audited.changes -> 'old', 'null'));
    undone := undone + 1;
    first := audited.created_at;
    last := coalesce(last, first);
  end loop;
  if undone = 0 then
    raise exception using errcode = 'VT205', message = 'There is no such repair.', hint = '`vital audit list` shows repairs with their reason, `repair ID: …`.';
  end if;
  perform from public.organization_audit_log l
  where l.sealed_key is not null and l.actor_id is null and l.created_at between first - interval '10 minutes' and last;
  if found then
    raise exception using errcode = 'VT203', message = 'The repair is so old that what it wrote is being sealed.', hint = 'Take back what must be by hand: `vital audit list` shows it.';
  end if;
  return undone;
end
$$;
comment on function vital.undo_repairs(uuid) is 'Takes back what a run of repairs wrote';
grant execute on function vital.undo_repairs(uuid) to service_role;
