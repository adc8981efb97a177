-- owner: vital_definer
--
-- For how long the audit log of a tenant is kept at least: six years under HIPAA (45 CFR 164.316(b)(2)), a day otherwise. Definer, because
-- configurations are their tenants'; executable by no role.
create or replace function vital.audit_kept_least(p_organization_id uuid) returns interval
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select case when exists (
    select from public.tenant_configurations c where c.tenant_id = p_organization_id and c.compliance_settings ->> 'hipaa_enabled' = 'true'
  ) then interval '6 years' else interval '1 day' end
$$;
comment on function vital.audit_kept_least(uuid) is 'For how long the audit log of a tenant is kept at least';
