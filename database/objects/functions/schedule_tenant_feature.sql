-- after: vital_require_admin.sql
-- after: vital_schedule_tenant_feature.sql
--
-- Has the override of a flag in the tenant the caller administers changed at p_run_at, as set_tenant_feature
-- would then; null takes it away. Whoever schedules it is the author of the version, and must still be an
-- admin of the tenant then.
create or replace function public.schedule_tenant_feature(p_flag_key text, p_changes jsonb, p_run_at timestamptz, p_reason text default null)
returns public.tenant_feature_flag_changes
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.schedule_tenant_feature(standing.tenant_id, p_flag_key, p_changes, p_run_at, p_reason);
end
$$;
comment on function public.schedule_tenant_feature(text, jsonb, timestamptz, text) is 'Has the override of a flag in the caller''s tenant changed at a time';
grant execute on function public.schedule_tenant_feature(text, jsonb, timestamptz, text) to authenticated, service_role;
