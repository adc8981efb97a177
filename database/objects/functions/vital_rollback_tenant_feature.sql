-- after: vital_require_changeable.sql
-- after: vital_find_active_flag.sql
-- after: vital_override_fields.sql
-- after: vital_set_tenant_feature.sql
--
-- Makes a tenant's override what it was at an earlier version (none, if it was none), as a new version, for
-- public.rollback_tenant_feature and operators. The caller's policies decide whether it may.
create or replace function vital.rollback_tenant_feature(p_tenant_id uuid, p_flag_key text, p_version integer, p_reason text default null)
returns public.tenant_feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  former jsonb;
  override public.tenant_feature_flags;
  rolled public.tenant_feature_flags;
begin
  perform vital.require_changeable(p_tenant_id);
  flag := vital.find_active_flag(p_flag_key);
  select v.config into former from public.tenant_feature_flag_versions v
  where v.tenant_id = p_tenant_id and v.feature_flag_id = flag.id and v.version = p_version;
  if not found then
    raise exception using errcode = 'VT205', message = format('There is no version %s of this tenant''s override of %s.', coalesce(p_version::text, 'null'), p_flag_key),
      hint = 'Its history shows those there are.';
  end if;
  select jsonb_object_agg(c.key, c.value) into former
  from jsonb_each(case jsonb_typeof(former) when 'object' then former end) c
  where c.key = any (vital.override_fields());
  if (former ->> 'expires_at')::timestamptz <= now() then
    raise exception using errcode = 'VT203', message = format('The override of version %s has run out since.', p_version),
      hint = 'Set it anew, with another end.';
  end if;
  select t.* into override from public.tenant_feature_flags t
  where t.tenant_id = p_tenant_id and t.feature_flag_id = flag.id
  for update;
  rolled := vital.set_tenant_feature(p_tenant_id, p_flag_key, former, null, coalesce(nullif(btrim(p_reason), ''), format('Back to version %s', p_version)));
  if rolled.version is not distinct from override.version then
    raise exception using errcode = 'VT203', message = format('The override is as it was at version %s.', p_version),
      hint = 'Nothing is left to do.';
  end if;
  return rolled;
end
$$;
comment on function vital.rollback_tenant_feature(uuid, text, integer, text) is 'Makes a tenant''s override what it was at an earlier version, as a new version';
grant execute on function vital.rollback_tenant_feature(uuid, text, integer, text) to authenticated, service_role;
