-- Trigger of organization_audit_log: a row is never changed or deleted, by nobody, its owner included.
-- Three things alone may be done to one, by vital_definer: changes, reason and salt are erased, which marks the row; or they are sealed,
-- once, and stay in it so; or the whole chain goes, of a tenant that is being erased.
create or replace function vital.refuse_audit_change() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  content constant text[] := array['changes', 'reason', 'salt', 'sealed', 'sealed_key', 'erased_at'];
begin
  if tg_op = 'UPDATE' and current_user = 'vital_definer' and new.changes is null and new.reason is null and new.salt is null
    and to_jsonb(new) - content = to_jsonb(old) - content
    and (new.erased_at is not null and new.sealed is null and new.sealed_key is null -- erased
      or new.erased_at is null and old.erased_at is null and old.sealed_key is null and new.sealed is not null and new.sealed_key is not null) then
    return new;
  end if;
  if tg_op = 'DELETE' and current_user = 'vital_definer'
    and exists (select from vital.erasures e where e.subject = 'tenant' and e.subject_id = old.organization_id and e.state = 'running') then
    return old;
  end if;
  raise exception using errcode = 'VT201', message = 'The audit log is only ever appended to.',
    hint = 'A mistake is mended by a new change with its reason, which gets a row of its own.';
end
$$;
comment on function vital.refuse_audit_change() is 'Refuses every change of an audit row but sealing and erasing';
