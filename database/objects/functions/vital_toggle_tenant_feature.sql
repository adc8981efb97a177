-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
-- after: vital_user_id.sql
--
-- Switches a flag for a tenant, or back to its default with null, for public.toggle_tenant_feature and
-- operators. The caller's policies decide whether it may. An override that had run out starts afresh.
create or replace function vital.toggle_tenant_feature(
  p_tenant_id uuid, p_flag_key text, p_enabled boolean, p_config jsonb default null, p_reason text default null
) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  override public.tenant_feature_flags;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(p_config is null or jsonb_typeof(p_config) = 'object', 'p_config', 'a JSON object');
  select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key and f.is_active;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such active flag.',
      hint = 'Flags are those of the table feature_flags.';
  end if;
  perform vital.give_reason(p_reason);
  if p_enabled is null then
    delete from public.tenant_feature_flags t where t.tenant_id = p_tenant_id and t.feature_flag_id = flag.id;
    return jsonb_build_object('flag_key', flag.flag_key, 'enabled', flag.default_enabled, 'config', '{}'::jsonb, 'overridden', false);
  end if;
  insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, config, reason, created_by)
  values (p_tenant_id, flag.id, p_enabled, p_config, p_reason, vital.user_id())
  on conflict (tenant_id, feature_flag_id) do update
  set enabled = excluded.enabled, reason = excluded.reason, created_by = excluded.created_by, expires_at = null,
    config = case when t.expires_at <= now() then excluded.config else coalesce(excluded.config, t.config) end,
    variant = case when t.expires_at <= now() then null else t.variant end
  returning t.* into override;
  return jsonb_build_object('flag_key', flag.flag_key, 'enabled', override.enabled,
    'config', coalesce(override.config, '{}'), 'overridden', true);
end
$$;
comment on function vital.toggle_tenant_feature(uuid, text, boolean, jsonb, text) is 'Switches a flag for a tenant, or back to its default';
grant execute on function vital.toggle_tenant_feature(uuid, text, boolean, jsonb, text) to authenticated, service_role;
