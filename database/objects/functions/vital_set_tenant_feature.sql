-- after: vital_require_changeable.sql
-- after: vital_require_fields.sql
-- after: vital_require_version.sql
-- after: vital_require_value.sql
-- after: vital_override_fields.sql
-- after: vital_find_active_flag.sql
-- after: vital_give_reason.sql
-- after: vital_author_id.sql
--
-- Changes fields of a tenant's override of a flag, makes it where there is none, or takes it away with null,
-- for public.set_tenant_feature, public.toggle_tenant_feature and operators. With p_expected_version,
-- whoever has seen another version is refused (0: there is no override). An override that had run out starts
-- afresh; what changes nothing makes no version. The caller's policies decide whether it may.
create or replace function vital.set_tenant_feature(
  p_tenant_id uuid, p_flag_key text, p_changes jsonb, p_expected_version integer default null, p_reason text default null
) returns public.tenant_feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  override public.tenant_feature_flags;
  wanted public.tenant_feature_flags;
begin
  perform vital.require_changeable(p_tenant_id);
  if coalesce(p_changes, 'null') <> 'null' then
    perform vital.require_fields(p_changes, vital.override_fields());
  end if;
  flag := vital.find_active_flag(p_flag_key);
  perform vital.give_reason(p_reason);
  loop
    select t.* into override from public.tenant_feature_flags t
    where t.tenant_id = p_tenant_id and t.feature_flag_id = flag.id
    for update;
    perform vital.require_version(p_expected_version, coalesce(override.version, 0));
    if coalesce(p_changes, 'null') = 'null' then
      delete from public.tenant_feature_flags t where t.tenant_id = p_tenant_id and t.id = override.id;
      return null;
    end if;

    wanted := override;
    if override.expires_at <= now() then
      wanted.enabled := null;
      wanted.variant := null;
      wanted.config := null;
      wanted.expires_at := null;
    end if;
    wanted := jsonb_populate_record(wanted, p_changes);
    perform vital.require_value(wanted.variant is null or wanted.variant is not distinct from override.variant or flag.variants ? wanted.variant
      or flag.flag_type = 'boolean' and flag.variants = '{}' and wanted.variant in ('on', 'off'), 'variant', 'one of the flag''s variants');
    perform vital.require_value(wanted.config is null or jsonb_typeof(wanted.config) = 'object', 'config', 'a JSON object');
    perform vital.require_value(not p_changes ? 'expires_at' or wanted.expires_at is null or wanted.expires_at > now(), 'expires_at', 'ahead');
    if override.id is null then
      begin
        insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, variant, config, expires_at, reason, created_by)
        values (p_tenant_id, flag.id, wanted.enabled, wanted.variant, wanted.config, wanted.expires_at, p_reason, vital.author_id())
        on conflict (tenant_id, feature_flag_id) do nothing -- made by somebody else at this moment: look again
        returning t.* into override;
        exit when found;
      exception when unique_violation then
        null; -- made and taken away at this moment, under the number this one was to have: look again
      end;
    else
      update public.tenant_feature_flags t
      set enabled = wanted.enabled, variant = wanted.variant, config = wanted.config, expires_at = wanted.expires_at,
        reason = p_reason, created_by = vital.author_id()
      where t.tenant_id = p_tenant_id and t.id = override.id
        and (t.enabled, t.variant, t.config, t.expires_at) is distinct from (wanted.enabled, wanted.variant, wanted.config, wanted.expires_at)
      returning t.* into wanted;
      return case when found then wanted else override end;
    end if;
  end loop;
  return override;
end
$$;
comment on function vital.set_tenant_feature(uuid, text, jsonb, integer, text) is 'Changes, makes or takes away a tenant''s override of a flag';
grant execute on function vital.set_tenant_feature(uuid, text, jsonb, integer, text) to authenticated, service_role, vital_definer;
