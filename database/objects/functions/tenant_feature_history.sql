-- after: vital_require_admin.sql
-- after: vital_tenant_feature_history.sql
--
-- Every version of the override of a flag in the tenant the caller administers, the newest first, each with
-- the one before it; JSON null where there was none. Row-level security stays in force.
create or replace function public.tenant_feature_history(p_flag_key text)
returns table (version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query select h.* from vital.tenant_feature_history(standing.tenant_id, p_flag_key) h;
end
$$;
comment on function public.tenant_feature_history(text) is 'Every version of the override of a flag in the caller''s tenant';
grant execute on function public.tenant_feature_history(text) to authenticated, service_role;
