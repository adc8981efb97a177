-- owner: vital_definer
-- after: vital_is_operator.sql
-- after: vital_require_admin.sql
-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_lock_configuration.sql
-- after: vital_give_reason.sql
-- after: vital_throttles.sql
--
-- Sets one tenant up like another: configuration, apps and flag overrides become those of p_from, by a
-- super admin, service_role or an admin of both. What a tenant may take of the server stays its own. What is the same already is not written, so the audit
-- log holds the differences. Definer, because a caller's policies show one tenant at a time.
create or replace function public.clone_tenant_settings(p_from uuid, p_to uuid, p_reason text default null) returns public.tenant_configurations
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  model public.tenant_configurations;
  configuration public.tenant_configurations;
begin
  if not vital.is_operator() then
    perform vital.require_admin(p_from);
    perform vital.require_admin(p_to);
  end if;
  perform vital.require_value(p_from <> p_to, 'p_to', 'another tenant than p_from');
  perform vital.require_changeable(p_from);
  perform vital.require_changeable(p_to);
  perform vital.give_reason(p_reason);
  configuration := vital.lock_configuration(p_to);
  select c.* into model from public.tenant_configurations c where c.tenant_id = p_from;
  if not found then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
  model.limits := model.limits - array(select jsonb_object_keys(vital.throttles(model.limits))) || vital.throttles(configuration.limits);

  update public.tenant_configurations c
  set ui_config = model.ui_config, enabled_features = model.enabled_features, enabled_apps = model.enabled_apps,
    enabled_agent_tiers = model.enabled_agent_tiers, limits = model.limits, compliance_settings = model.compliance_settings
  where c.tenant_id = p_to
    and (c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings)
      is distinct from (model.ui_config, model.enabled_features, model.enabled_apps, model.enabled_agent_tiers, model.limits, model.compliance_settings)
  returning c.* into configuration;
  if not found then
    select c.* into configuration from public.tenant_configurations c where c.tenant_id = p_to;
  end if;

  delete from public.tenant_apps a
  where a.tenant_id = p_to
    and not exists (select from public.tenant_apps f where f.tenant_id = p_from and f.app_key = a.app_key);
  insert into public.tenant_apps as a (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order, config)
  select p_to, f.app_key, f.app_name, f.app_route, f.app_icon, f.is_visible, f.is_enabled, f.display_order, f.config
  from public.tenant_apps f
  where f.tenant_id = p_from
  on conflict (tenant_id, app_key) do update
  set app_name = excluded.app_name, app_route = excluded.app_route, app_icon = excluded.app_icon, is_visible = excluded.is_visible,
    is_enabled = excluded.is_enabled, display_order = excluded.display_order, config = excluded.config
  where (a.app_name, a.app_route, a.app_icon, a.is_visible, a.is_enabled, a.display_order, a.config)
    is distinct from (excluded.app_name, excluded.app_route, excluded.app_icon, excluded.is_visible, excluded.is_enabled, excluded.display_order, excluded.config);

  delete from public.tenant_feature_flags t
  where t.tenant_id = p_to
    and not exists (select from public.tenant_feature_flags f where f.tenant_id = p_from and f.feature_flag_id = t.feature_flag_id);
  insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, variant, config, expires_at, reason, created_by)
  select p_to, f.feature_flag_id, f.enabled, f.variant, f.config, f.expires_at, p_reason, caller.user_id
  from public.tenant_feature_flags f
  where f.tenant_id = p_from
  on conflict (tenant_id, feature_flag_id) do update
  set enabled = excluded.enabled, variant = excluded.variant, config = excluded.config, expires_at = excluded.expires_at,
    reason = excluded.reason, created_by = excluded.created_by
  where (t.enabled, t.variant, t.config, t.expires_at) is distinct from (excluded.enabled, excluded.variant, excluded.config, excluded.expires_at);
  return configuration;
end
$$;
comment on function public.clone_tenant_settings(uuid, uuid, text) is 'Sets one tenant up like another: configuration, apps and flag overrides';
grant execute on function public.clone_tenant_settings(uuid, uuid, text) to authenticated, service_role;
