-- Trigger of organization_audit_log: a row is never changed or deleted, by nobody, its owner included.
-- Erasing is the one exception: vital_definer may null changes, reason and salt, and delete the chain of a tenant that is being erased.
create or replace function vital.refuse_audit_change() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and current_user = 'vital_definer' and new.changes is null and new.reason is null and new.salt is null
    and new.erased_at is not null
    and to_jsonb(new) - array['changes', 'reason', 'salt', 'erased_at'] = to_jsonb(old) - array['changes', 'reason', 'salt', 'erased_at'] then
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
comment on function vital.refuse_audit_change() is 'Refuses every change of an audit row but an erasure';
