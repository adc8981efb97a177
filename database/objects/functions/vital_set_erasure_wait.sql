-- owner: vital_definer
--
-- Sets how long tenants, or users, wait until they may be erased; the platform's audit log has it. Those asked for already keep their
-- time. Definer, because settings are nobody's to write.
create or replace function vital.set_erasure_wait(p_subject text, p_wait interval, p_reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  was interval;
begin
  perform vital.require_operator();
  perform vital.require_value(p_subject in ('tenant', 'user'), 'p_subject', 'tenant or user');
  perform vital.require_value(p_wait >= interval '0' and p_wait <= interval '10 years', 'p_wait', 'a time from 0 to ten years');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given');
  if p_subject = 'tenant' then
    select s.erasure_wait into was from vital.settings s for update;
    update vital.settings set erasure_wait = p_wait;
  else
    select s.user_erasure_wait into was from vital.settings s for update;
    update vital.settings set user_erasure_wait = p_wait;
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit('00000000-0000-0000-0000-000000000001', 'updated', 'settings', null,
    jsonb_build_object('old', jsonb_build_object(p_subject || '_erasure_wait', was), 'new', jsonb_build_object(p_subject || '_erasure_wait', p_wait)));
end
$$;
comment on function vital.set_erasure_wait(text, interval, text) is 'Sets how long tenants or users wait until they may be erased';
grant execute on function vital.set_erasure_wait(text, interval, text) to service_role;
