-- after: vital_require_admin.sql
-- after: vital_set_tenant_feature.sql
--
-- Changes fields of the override (enabled, variant, config, expires_at) a flag has in the tenant the caller
-- administers, makes it where there is none, or takes it away with null. With p_expected_version, whoever
-- has seen another version is refused and loses nothing. Row-level security stays in force.
create or replace function public.set_tenant_feature(
  p_flag_key text, p_changes jsonb, p_expected_version integer default null, p_reason text default null
) returns public.tenant_feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.set_tenant_feature(standing.tenant_id, p_flag_key, p_changes, p_expected_version, p_reason);
end
$$;
comment on function public.set_tenant_feature(text, jsonb, integer, text) is 'Changes, makes or takes away the override of a flag in the caller''s tenant';
grant execute on function public.set_tenant_feature(text, jsonb, integer, text) to authenticated, service_role;
