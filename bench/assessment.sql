The assessment's own design for configuration (3.2, 8.2), beside ours in the same database: the view,
its refresh at each write, and the unique index without which the refresh fails (ERROR 55000).

-- name: Table
create table bench.tenant_configurations (like public.tenant_configurations including all)

-- name: Rows
insert into bench.tenant_configurations select * from public.tenant_configurations

-- name: View
create materialized view bench.tenant_full_config as
select
  o.id as tenant_id, o.name, o.slug, o.tenant_type, o.tenant_key, o.is_active,
  tc.ui_config, tc.enabled_features, tc.enabled_apps, tc.limits, tc.compliance_settings,
  (
    select json_agg(json_build_object(
      'app_key', ta.app_key, 'app_name', ta.app_name, 'app_route', ta.app_route,
      'is_enabled', ta.is_enabled, 'display_order', ta.display_order) order by ta.display_order)
    from public.tenant_apps ta
    where ta.tenant_id = o.id and ta.is_visible = true
  ) as apps,
  (
    select json_agg(json_build_object(
      'flag_key', ff.flag_key, 'enabled', coalesce(tff.enabled, ff.default_enabled), 'config', coalesce(tff.config, '{}'::jsonb)))
    from public.feature_flags ff
    left join public.tenant_feature_flags tff on tff.feature_flag_id = ff.id and tff.tenant_id = o.id
    where ff.is_active = true
  ) as features
from public.organizations o
left join bench.tenant_configurations tc on tc.tenant_id = o.id
where o.is_active = true

-- name: Index
create unique index on bench.tenant_full_config (tenant_id)

-- name: Function
create function bench.refresh_tenant_full_config() returns trigger language plpgsql security definer as $$
begin
  refresh materialized view concurrently bench.tenant_full_config;
  return null;
end
$$

-- name: Trigger
create trigger refresh_tenant_config after insert or update or delete on bench.tenant_configurations
  for each statement execute function bench.refresh_tenant_full_config()

-- name: Grant
grant select, update on bench.tenant_configurations to service_role

-- name: Write
update bench.tenant_configurations
set ui_config = jsonb_build_object('theme', 'default', 'primary_color', $2::text, 'logo_url', 'https://cdn.example.test/logo.svg')
where tenant_id = $1

-- name: Size
select pg_database_size(current_database())
