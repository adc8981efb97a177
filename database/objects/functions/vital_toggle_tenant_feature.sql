-- after: vital_require_value.sql
-- after: vital_set_tenant_feature.sql
--
-- Switches a flag for a tenant, or back to its default with null, for public.toggle_tenant_feature and
-- operators: vital.set_tenant_feature with one switch. The caller's policies decide whether it may.
create or replace function vital.toggle_tenant_feature(
  p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb default null, p_reason text default null
) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  changes jsonb;
  override public.tenant_feature_flags;
begin
  perform vital.require_value(p_config is null or jsonb_typeof(p_config) = 'object', 'p_config', 'a JSON object');
  if p_enabled is not null then
    changes := jsonb_build_object('enabled', p_enabled, 'expires_at', null)
      || case when p_config is null then '{}' else jsonb_build_object('config', p_config) end;
  end if;
  override := vital.set_tenant_feature(p_tenant_id, p_flag_key, changes, null, p_reason);
  if p_enabled is null then
    return (select jsonb_build_object('flag_key', f.flag_key, 'enabled', f.default_enabled, 'config', '{}'::jsonb, 'overridden', false)
      from public.feature_flags f where f.flag_key = p_flag_key);
  end if;
  return jsonb_build_object('flag_key', p_flag_key, 'enabled', override.enabled, 'config', coalesce(override.config, '{}'), 'overridden', true);
end
$$;
comment on function vital.toggle_tenant_feature(uuid, text, boolean, jsonb, text) is 'Switches a flag for a tenant, or back to its default';
grant execute on function vital.toggle_tenant_feature(uuid, text, boolean, jsonb, text) to authenticated, service_role;
