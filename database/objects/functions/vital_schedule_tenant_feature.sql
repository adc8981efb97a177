-- owner: vital_definer
-- after: vital_require_acting_admin.sql
-- after: vital_require_changeable.sql
-- after: vital_require_fields.sql
-- after: vital_require_value.sql
-- after: vital_override_fields.sql
-- after: vital_find_active_flag.sql
-- after: vital_lock_configuration.sql
-- after: vital_give_reason.sql
-- after: vital_user_id.sql
--
-- Has a tenant's override of a flag changed at p_run_at, as vital.set_tenant_feature would then, for
-- public.schedule_tenant_feature and operators. A tenant has at most 100 changes waiting, counted one after
-- the other, so that none keeps the others' from their time. Definer, because nobody writes the schedule but
-- its functions; whoever is no operator must act in the tenant as its admin.
create or replace function vital.schedule_tenant_feature(
  p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_run_at timestamptz, p_reason text default null
) returns public.tenant_feature_flag_changes
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  most constant integer := 100;
  flag public.feature_flags;
  change public.tenant_feature_flag_changes;
begin
  perform vital.require_acting_admin(p_tenant_id);
  perform vital.require_changeable(p_tenant_id);
  if coalesce(p_changes, 'null') <> 'null' then
    perform vital.require_fields(p_changes, vital.override_fields());
    perform vital.require_value(p_changes <> '{}', 'p_changes', 'an object of the fields to change');
  end if;
  perform vital.require_value(p_run_at > now() and isfinite(p_run_at), 'p_run_at', 'ahead');
  flag := vital.find_active_flag(p_flag_key);
  perform vital.lock_configuration(p_tenant_id);
  if (select count(*) from public.tenant_feature_flag_changes c where c.tenant_id = p_tenant_id and c.status = 'pending') >= most then
    raise exception using errcode = 'VT204', message = format('At most %s changes of this tenant wait at a time.', most),
      hint = 'Cancel one, or wait until they were made.';
  end if;
  perform vital.give_reason(p_reason);
  insert into public.tenant_feature_flag_changes as c (tenant_id, feature_flag_id, changes, run_at, reason, created_by)
  values (p_tenant_id, flag.id, coalesce(p_changes, 'null'), p_run_at, nullif(btrim(p_reason), ''), vital.user_id())
  returning c.* into change;
  return change;
end
$$;
comment on function vital.schedule_tenant_feature(uuid, text, jsonb, timestamptz, text) is 'Has a tenant''s override of a flag changed at a time';
grant execute on function vital.schedule_tenant_feature(uuid, text, jsonb, timestamptz, text) to authenticated, service_role;
