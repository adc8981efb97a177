-- after: vital_require_admin.sql
-- after: vital_cancel_tenant_feature_change.sql
--
-- Cancels a scheduled change of an override in the tenant the caller administers that was not made yet.
create or replace function public.cancel_tenant_feature_change(p_id uuid, p_reason text default null) returns public.tenant_feature_flag_changes
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return vital.cancel_tenant_feature_change(standing.tenant_id, p_id, p_reason);
end
$$;
comment on function public.cancel_tenant_feature_change(uuid, text) is 'Cancels a scheduled change of an override in the caller''s tenant';
grant execute on function public.cancel_tenant_feature_change(uuid, text) to authenticated, service_role;
