-- Everything a tenant is set up with, one row each, whatever its state. Merged when read: a flag's
-- default is kept once and a tenant's row only where it differs, so a write touches one row however
-- many tenants there are. The invoker's policies apply. The one definition behind
-- public.tenant_full_config and vital.build_context.
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
    select json_agg(
      json_build_object(
        'app_key', a.app_key,
        'app_name', a.app_name,
        'app_route', a.app_route,
        'app_icon', a.app_icon,
        'is_enabled', a.is_enabled,
        'display_order', a.display_order
      ) order by a.display_order, a.app_key
    )
    from public.tenant_apps a
    where a.tenant_id = o.id and a.is_visible
  ), '[]') as apps,
  coalesce((
    select json_agg(
      json_build_object(
        'flag_key', f.flag_key,
        'enabled', coalesce(t.enabled, f.default_enabled),
        'config', coalesce(t.config, '{}'::jsonb)
      ) order by f.flag_key
    )
    from public.feature_flags f
    left join public.tenant_feature_flags t
      on t.tenant_id = o.id and t.feature_flag_id = f.id
      and (t.expires_at is null or t.expires_at > transaction_timestamp())
    where f.is_active
  ), '[]') as features
from public.organizations o
left join public.tenant_configurations c on c.tenant_id = o.id;
comment on view vital.tenant_settings is 'A tenant with its configuration, apps and flags, whatever its state';
grant select on vital.tenant_settings to authenticated, service_role, vital_definer;
