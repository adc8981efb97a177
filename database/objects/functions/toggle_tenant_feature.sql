-- after: vital_require_admin.sql
-- after: vital_toggle_tenant_feature.sql
--
-- Switches a flag for the tenant the caller administers, with settings of its own where given, or back to
-- the flag's default with null. Row-level security stays in force.
create or replace function public.toggle_tenant_feature(
  p_flag_key text, p_enabled boolean, p_config jsonb default null, p_reason text default null
) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.toggle_tenant_feature(standing.tenant_id, p_flag_key, p_enabled, p_config, p_reason);
end
$$;
comment on function public.toggle_tenant_feature(text, boolean, jsonb, text) is 'Switches a flag for the caller''s tenant, or back to its default';
grant execute on function public.toggle_tenant_feature(text, boolean, jsonb, text) to authenticated, service_role;
