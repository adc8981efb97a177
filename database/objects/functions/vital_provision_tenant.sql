-- owner: vital_definer
-- after: vital_is_restoring.sql
-- after: vital_tenant_template.sql
-- after: vital_author_id.sql
--
-- Trigger of organizations: a new tenant has the configuration, apps and overrides of its template from the
-- start, so none can exist without them, whoever makes it. One that is put back has its own.
create or replace function vital.provision_tenant() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  template constant vital.tenant_templates := vital.tenant_template(new.tenant_type);
  stranger text;
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  insert into public.tenant_configurations (tenant_id, ui_config, enabled_features, enabled_apps, enabled_agent_tiers, limits, compliance_settings)
  select new.id, c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings
  from jsonb_to_record(template.configuration)
    c (ui_config jsonb, enabled_features text[], enabled_apps text[], enabled_agent_tiers integer[], limits jsonb, compliance_settings jsonb)
  on conflict (tenant_id) do nothing;

  insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order, config)
  select new.id, a.key, a.name, a.route, a.icon, coalesce(a.visible, true), coalesce(a.enabled, true), coalesce(a."order", 0), coalesce(a.config, '{}')
  from jsonb_to_recordset(template.apps) a (key text, name text, route text, icon text, visible boolean, enabled boolean, "order" integer, config jsonb)
  on conflict (tenant_id, app_key) do nothing;

  if template.flags = '{}' then
    return null;
  end if;
  select k into stranger from jsonb_object_keys(template.flags) k
  where not exists (select from public.feature_flags f where f.flag_key = k) order by k limit 1;
  if stranger is not null then
    raise exception using errcode = 'VT205', message = format('The template %s names a flag there is not: %s.', template.name, stranger),
      hint = '`vital tenant template set` changes it.';
  end if;
  insert into public.tenant_feature_flags (tenant_id, feature_flag_id, enabled, variant, config, reason, created_by)
  select new.id, f.id, o.enabled, o.variant, o.config, 'template ' || template.name, vital.author_id()
  from jsonb_each(template.flags) t
  join public.feature_flags f on f.flag_key = t.key
  cross join lateral jsonb_to_record(t.value) o (enabled boolean, variant text, config jsonb)
  order by f.flag_key
  on conflict (tenant_id, feature_flag_id) do nothing;
  return null;
end
$$;
comment on function vital.provision_tenant() is 'Gives a new tenant what its template says';
grant execute on function vital.provision_tenant() to vital_owner; -- to attach it to a table
