-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_fields.sql
-- after: vital_require_value.sql
-- after: vital_definition_fields.sql
-- after: vital_find_feature_flag.sql
-- after: vital_give_reason.sql
-- after: vital_user_id.sql
--
-- Has a flag definition changed at p_run_at, as set_feature_flag would then; by a super admin or service_role.
-- Whoever schedules it is the author of the version, and must still be a super admin then. Definer, because
-- nobody writes the schedule but its functions.
create or replace function public.schedule_feature_flag(p_flag_key text, p_changes jsonb, p_run_at timestamptz, p_reason text default null)
returns public.feature_flag_changes
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  change public.feature_flag_changes;
begin
  perform vital.require_operator();
  perform vital.require_fields(p_changes, vital.definition_fields());
  perform vital.require_value(p_changes <> '{}', 'p_changes', 'an object of the fields to change');
  perform vital.require_value(p_run_at > now() and isfinite(p_run_at), 'p_run_at', 'ahead');
  flag := vital.find_feature_flag(p_flag_key);
  perform vital.give_reason(p_reason);
  insert into public.feature_flag_changes as c (feature_flag_id, changes, run_at, reason, created_by)
  values (flag.id, p_changes, p_run_at, nullif(btrim(p_reason), ''), vital.user_id())
  returning c.* into change;
  return change;
end
$$;
comment on function public.schedule_feature_flag(text, jsonb, timestamptz, text) is 'Has a flag definition changed at a time';
grant execute on function public.schedule_feature_flag(text, jsonb, timestamptz, text) to authenticated, service_role;
