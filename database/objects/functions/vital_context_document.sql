-- What all members of a tenant see of it in their contexts: organization and config. Null where the tenant has no
-- configuration. vital.read_context is its only caller; it checks nothing.
create or replace function vital.context_document(p_tenant_id uuid) returns json
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select json_build_object(
      'organization', json_build_object(
        'id', o.id, 'name', o.name, 'slug', o.slug, 'tenant_type', o.tenant_type,
        'tenant_key', o.tenant_key, 'is_active', o.is_active, 'lifecycle_state', o.lifecycle_state,
        'subscription_tier', o.subscription_tier, 'parent_organization_id', o.parent_organization_id),
      'config', json_build_object(
        'ui_config', c.ui_config, 'enabled_features', c.enabled_features, 'enabled_apps', c.enabled_apps,
        'enabled_agent_tiers', c.enabled_agent_tiers, 'limits', c.limits,
        'compliance_settings', c.compliance_settings, 'apps', c.apps, 'features', c.features))
    from vital.tenant_settings c
    join public.organizations o on o.id = c.tenant_id
    where c.tenant_id = p_tenant_id and c.configuration_id is not null);
end
$$;
comment on function vital.context_document(uuid) is 'What all members of a tenant see of it in their contexts';
grant execute on function vital.context_document(uuid) to vital_definer;
