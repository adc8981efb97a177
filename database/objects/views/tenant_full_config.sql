-- after: vital_tenant_settings.sql
--
-- The active tenants with everything they are set up with. Whoever is bound by row-level security sees
-- the tenant they act in and no other, so a member of several never gets a half-filled row.
drop view if exists public.tenant_full_config;
create view public.tenant_full_config with (security_invoker = true) as
select
  s.tenant_id,
  s.name,
  s.slug,
  s.tenant_type,
  s.tenant_key,
  s.is_active,
  s.ui_config,
  s.enabled_features,
  s.enabled_apps,
  s.limits,
  s.compliance_settings,
  s.apps,
  s.features,
  s.enabled_agent_tiers
from vital.tenant_settings s
where s.is_active
  and (not (select row_security_active('public.tenant_configurations'))
    or s.tenant_id = (select public.get_user_tenant_id()));
comment on view public.tenant_full_config is 'An active tenant with its configuration, apps and flags; one row a tenant';
grant select on public.tenant_full_config to authenticated, service_role;
