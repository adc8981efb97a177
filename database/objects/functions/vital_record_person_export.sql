-- owner: vital_definer
-- after: vital_append_audit.sql
-- after: vital_is_operator.sql
--
-- Notes that one person's data is taken out, in the platform's audit log and in that of each tenant they are a member of: by themselves, three
-- times an hour at most, or by an operator with a reason. Definer, because nobody writes the audit log by hand.
create or replace function vital.record_person_export(p_user_id uuid, p_reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null and not vital.is_operator() then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.', hint = 'Send the access token of a user.';
  elsif caller.user_id <> p_user_id then
    raise exception using errcode = 'VT110', message = 'Everybody takes out their own data.', hint = 'Ask the operator of the platform.';
  end if;
  perform from public.users u where u.id = p_user_id for no key update; -- one after the other, so that each is counted
  if not found then
    raise exception using errcode = 'VT101', message = 'There is no such user.', hint = 'Sign in with an account that is known here.';
  elsif caller.user_id is not null and (
    select count(*) >= 3 from public.organization_audit_log a
    where a.organization_id = platform and a.entity_id = p_user_id and a.action = 'person_exported' and a.actor_id = p_user_id
      and a.created_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using errcode = 'VT204', message = 'You have taken out your data three times within the hour.', hint = 'Try again later.';
  end if;
  perform set_config('vital.reason', coalesce(btrim(p_reason), ''), true);
  perform vital.append_audit(m.tenant_id, 'person_exported', 'users', p_user_id, null)
  from (select t.tenant_id from public.user_tenants t where t.user_id = p_user_id union select platform) m;
end
$$;
comment on function vital.record_person_export(uuid, text) is 'Notes that one person''s data is taken out';
grant execute on function vital.record_person_export(uuid, text) to authenticated, service_role;
