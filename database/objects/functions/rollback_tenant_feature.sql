-- after: vital_require_admin.sql
-- after: vital_rollback_tenant_feature.sql
--
-- Makes the override of a flag in the tenant the caller administers what it was at an earlier version, as a
-- new version. Row-level security stays in force.
create or replace function public.rollback_tenant_feature(p_flag_key text, p_version integer, p_reason text default null)
returns public.tenant_feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.rollback_tenant_feature(standing.tenant_id, p_flag_key, p_version, p_reason);
end
$$;
comment on function public.rollback_tenant_feature(text, integer, text) is 'Makes the override in the caller''s tenant what it was at an earlier version';
grant execute on function public.rollback_tenant_feature(text, integer, text) to authenticated, service_role;
