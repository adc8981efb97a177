-- Everything a tenant is set up with, one row each, whatever its state. Merged when read: a flag's
-- default is kept once and a tenant's row only where it differs, so a write touches one row however
-- many tenants there are. The invoker's policies apply. The one definition behind
-- public.tenant_full_config and vital.build_context. Rows become JSON whole: json_build_object looks up
-- the type of each value anew, nearly a quarter of this view's cost with 50 flags.
drop view if exists vital.tenant_settings cascade;
create view vital.tenant_settings with (security_invoker = true) as
select
  o.id as tenant_id,
  o.name,
  o.slug,
  o.tenant_type,
  o.tenant_key,
  o.is_active,
  c.id as configuration_id,
  c.ui_config,
  c.enabled_features,
  c.enabled_apps,
  c.enabled_agent_tiers,
  c.limits,
  c.compliance_settings,
  coalesce((
    select json_agg(app)
    from (
      select a.app_key, a.app_name, a.app_route, a.app_icon, a.is_enabled, a.display_order
      from public.tenant_apps a
      where a.tenant_id = o.id and a.is_visible
      order by a.display_order, a.app_key
    ) app
  ), '[]') as apps,
  coalesce((
    select json_agg(flag)
    from (
      select f.flag_key, coalesce(t.enabled, f.default_enabled) as enabled, coalesce(t.config, '{}'::jsonb) as config
      from public.feature_flags f
      left join public.tenant_feature_flags t
        on t.tenant_id = o.id and t.feature_flag_id = f.id
        and (t.expires_at is null or t.expires_at > transaction_timestamp())
      where f.is_active
      order by f.flag_key
    ) flag
  ), '[]') as features
from public.organizations o
left join public.tenant_configurations c on c.tenant_id = o.id;
comment on view vital.tenant_settings is 'A tenant with its configuration, apps and flags, whatever its state';
grant select on vital.tenant_settings to authenticated, service_role, vital_definer;
