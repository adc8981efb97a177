Bulk data in the shape a product has it. Ids are hashes, as spread as random ones, and computable here
and in Go. A tenant's rows lie together, as they do when they are made together. It runs with triggers off, so what triggers would make (configuration, apps, versions) is
made here.

-- name: Flags
insert into public.feature_flags (id, flag_key, name, description, default_enabled, category)
select md5('flag ' || n)::uuid, 'flag_' || lpad(n::text, greatest(length(n::text), 3), '0'), 'Flag ' || n, 'What flag ' || n || ' changes', n % 2 = 0, 'general'
from generate_series(1, $1::int) n

-- name: Organizations
insert into public.organizations (id, name, slug, tenant_type, tenant_key)
select md5('tenant ' || n)::uuid, 'Tenant ' || n, 'tenant-' || n, 'digital_health', 'key-' || n
from generate_series($1::int, $2::int) n

-- name: Configurations
insert into public.tenant_configurations (tenant_id, ui_config, enabled_features)
select md5('tenant ' || n)::uuid,
  '{"theme": "default", "primary_color": "#4F46E5", "logo_url": "https://cdn.example.test/logo.svg"}', '{export,sso}'
from generate_series($1::int, $2::int) n

-- name: Users
insert into public.users (id, organization_id, email)
select md5('user ' || n)::uuid, md5('tenant ' || n)::uuid, 'user-' || n || '@example.test'
from generate_series($1::int, $2::int) n

-- name: Accounts
insert into auth.users (id, email)
select md5('user ' || n)::uuid, 'user-' || n || '@example.test'
from generate_series($1::int, $2::int) n

-- name: Profiles
insert into public.profiles (id, email, full_name)
select md5('user ' || n)::uuid, 'user-' || n || '@example.test', 'User ' || n
from generate_series($1::int, $2::int) n

-- name: Memberships
insert into public.user_tenants (tenant_id, user_id, role)
select md5('tenant ' || m.tenant)::uuid, md5('user ' || n)::uuid, m.role
from generate_series($1::int, $2::int) n
cross join lateral (values (n, 'admin'), (n % $3::int + 1, 'member')) m (tenant, role)
order by n

-- name: Apps
insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, display_order)
select md5('tenant ' || n)::uuid, 'app-' || a, 'App ' || a, '/app-' || a, 'box', a
from generate_series($1::int, $2::int) n
cross join generate_series(1, $3::int) a
order by n, a

-- name: Overrides
insert into public.tenant_feature_flags (tenant_id, feature_flag_id, enabled, config)
select md5('tenant ' || n)::uuid, md5('flag ' || f)::uuid, f % 2 = 1, '{"limit": 10}'
from generate_series($1::int, $2::int) n
cross join generate_series(1, $3::int) f
order by n, f

-- name: Versions
insert into vital.versions (scope, key)
select v.scope, v.key
from generate_series($1::int, $2::int) n
cross join lateral (values
  ('tenant', md5('tenant ' || n)::uuid), ('membership', md5('user ' || n)::uuid), ('self', md5('user ' || n)::uuid)
) v (scope, key)
order by n

-- name: Agents
insert into public.agents (tenant_id, name, slug, description, model, tier, category)
select md5('tenant ' || n)::uuid, 'Agent ' || a, 'agent-' || a, 'What agent ' || a || ' of this tenant is for', 'standard', a % 3 + 1, 'general'
from generate_series($1::int, $2::int) n
cross join generate_series(1, $3::int) a
order by n, a

-- name: Rules
update public.feature_flags f set
  variants = '{"on": true, "off": false}', default_variant = 'off',
  targeting = '{"if": [{"and": [{"ends_with": [{"var": "email"}, "@example.test"]}, {"==": [{"var": "tenant.type"}, "digital_health"]}]},
    {"fractional": [["on", 50], ["off", 50]]}, "off"]}'
where f.flag_key ~ '[05]$' and f.flag_key > 'flag_010';
