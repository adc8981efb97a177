-- owner: vital_definer
--
-- All a server needs of one tenant to evaluate flags: what rules may ask of it and its overrides by flag key,
-- with the tenant's version they belong to: one statement, one snapshot. No row for a tenant there is not.
-- Overrides that have run out are there with their end: a server that keeps this for longer judges by itself.
-- Definer, because nobody but its functions reads vital.versions; for service_role alone.
create or replace function vital.tenant_flag_overrides(p_tenant_id uuid)
returns table (version bigint, tenant jsonb, overrides jsonb)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    coalesce((select v.version from vital.versions v where v.scope = 'tenant' and v.key = o.id), 0),
    jsonb_build_object('id', o.id, 'slug', o.slug, 'type', o.tenant_type, 'tier', o.subscription_tier,
      'parent_id', o.parent_organization_id, 'key', o.tenant_key),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'flag_key', f.flag_key, 'enabled', t.enabled, 'variant', t.variant, 'config', t.config, 'expires_at', t.expires_at,
        'version', t.version) order by f.flag_key)
      from public.tenant_feature_flags t
      join public.feature_flags f on f.id = t.feature_flag_id
      where t.tenant_id = o.id
    ), '[]')
  from public.organizations o
  where o.id = p_tenant_id
$$;
comment on function vital.tenant_flag_overrides(uuid) is 'A tenant and its overrides, with the version they belong to';
grant execute on function vital.tenant_flag_overrides(uuid) to service_role;
