Tenants made and changed from a file, many at a time: what is there, and the writing of rows that were loaded into
vital.staged_rows by COPY. Each step takes its own rows away.

-- name: OnboardSerialize
lock table vital.staged_rows in share row exclusive mode;

-- name: OnboardOrganizations
select o.tenant_key, o.id, o.name, o.slug, o.tenant_type, o.subscription_tier, p.tenant_key, o.lifecycle_state::text,
  o.parent_organization_id
from public.organizations o
left join public.organizations p on p.id = o.parent_organization_id
where o.tenant_key = any ($1::text[])
order by o.id
for no key update of o;

-- name: OnboardSlugs
select o.slug, o.tenant_key from public.organizations o where o.slug = any ($1::text[]);

-- name: OnboardFamily
with recursive up (id, parent_id) as (
  select o.id, o.parent_organization_id from public.organizations o where o.tenant_key = any ($1::text[])
  union
  select o.id, o.parent_organization_id from up join public.organizations o on o.id = up.parent_id
), down (id) as (
  select o.id from public.organizations o where o.tenant_key = any ($1::text[])
  union
  select o.id from down join public.organizations o on o.parent_organization_id = down.id
)
select o.tenant_key, o.id, p.tenant_key, o.lifecycle_state::text
from (select up.id from up union select down.id from down) f
join public.organizations o on o.id = f.id
left join public.organizations p on p.id = o.parent_organization_id;

-- name: OnboardUsers
select distinct on (pg_catalog.lower(u.email)) pg_catalog.lower(u.email), u.id, u.organization_id is null
from public.users u
where pg_catalog.lower(u.email) = any ($1::text[])
order by pg_catalog.lower(u.email), u.created_at;

-- name: OnboardConfigurations
select c.tenant_id, pg_catalog.jsonb_build_object('ui_config', c.ui_config, 'enabled_features', c.enabled_features, 'enabled_apps', c.enabled_apps,
  'enabled_agent_tiers', c.enabled_agent_tiers, 'limits', c.limits, 'compliance_settings', c.compliance_settings)
from public.tenant_configurations c
where c.tenant_id = any ($1::uuid[])
order by c.tenant_id
for no key update;

-- name: OnboardApps
select a.tenant_id, a.app_key, a.app_name, a.app_route, a.app_icon, a.is_visible, a.is_enabled, a.display_order, a.config
from public.tenant_apps a
where a.tenant_id = any ($1::uuid[])
order by a.tenant_id, a.app_key
for no key update;

-- name: OnboardOverrides
select t.tenant_id, f.flag_key, t.enabled, t.variant, t.config, t.expires_at, coalesce(t.expires_at <= pg_catalog.now(), false)
from public.tenant_feature_flags t
join public.feature_flags f on f.id = t.feature_flag_id
where t.tenant_id = any ($1::uuid[]) and f.flag_key = any ($2::text[])
order by t.tenant_id, t.id
for no key update of t;

-- name: OnboardMembers
select m.tenant_id, m.user_id, pg_catalog.lower(u.email), m.role, m.status = 'active'
from public.user_tenants m
join public.users u on u.id = m.user_id
where m.tenant_id = any ($1::uuid[]) and (m.role = 'owner' or pg_catalog.lower(u.email) = any ($2::text[]))
order by m.tenant_id, m.id
for no key update of m;

-- name: OnboardInvitations
select distinct on (i.tenant_id, pg_catalog.lower(i.email)) i.tenant_id, pg_catalog.lower(i.email), i.role
from public.invitations i
where i.tenant_id = any ($1::uuid[]) and pg_catalog.lower(i.email) = any ($2::text[])
  and i.accepted_at is null and i.revoked_at is null and i.expires_at > pg_catalog.now()
order by i.tenant_id, pg_catalog.lower(i.email), i.created_at desc;

-- name: OnboardFlags
select f.flag_key, f.id, f.flag_type, f.is_active, array(select pg_catalog.jsonb_object_keys(f.variants))
from public.feature_flags f
where f.flag_key = any ($1::text[]);

-- name: OnboardAgents
select a.tenant_id, a.slug, a.id, a.tier, a.status
from public.agents a
where a.slug = any ($2::text[]) and a.tenant_id = any ($1::uuid[] || '{00000000-0000-0000-0000-000000000001}'::uuid[]);

-- name: OnboardAssignments
select t.tenant_id, t.agent_tenant_id, t.agent_id, t.is_enabled, t.config
from public.tenant_agents t
where t.tenant_id = any ($1::uuid[])
order by t.tenant_id, t.id
for no key update;

-- name: OnboardTemplate
select vital.use_template($1);

-- name: OnboardOrganizationsMake
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.organizations (id, name, slug, tenant_type, tenant_key, subscription_tier, parent_organization_id, lifecycle_state)
select r.id, r.name, r.slug, r.tenant_type, r.tenant_key, r.subscription_tier, r.parent_id, r.state::public.org_lifecycle_state
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value)
  r (id uuid, name text, slug text, tenant_type text, tenant_key text, subscription_tier text, parent_id uuid, state text)
order by m.place;

-- name: OnboardOrganizationsChange
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
update public.organizations o
set name = r.name, slug = r.slug, tenant_type = r.tenant_type, subscription_tier = r.subscription_tier, parent_organization_id = r.parent_id
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value)
  r (id uuid, name text, slug text, tenant_type text, subscription_tier text, parent_id uuid)
where o.id = r.id;

-- name: OnboardConfigurationsChange
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
update public.tenant_configurations c
set ui_config = r.ui_config, enabled_features = r.enabled_features, enabled_apps = r.enabled_apps,
  enabled_agent_tiers = r.enabled_agent_tiers, limits = r.limits, compliance_settings = r.compliance_settings
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, ui_config jsonb, enabled_features text[], enabled_apps text[],
  enabled_agent_tiers integer[], limits jsonb, compliance_settings jsonb)
where c.tenant_id = r.tenant_id;

-- name: OnboardAppsWrite
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.tenant_apps as a (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order, config)
select r.tenant_id, r.key, r.name, r.route, r.icon, r.visible, r.enabled, r."order", r.config
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, key text, name text, route text, icon text, visible boolean,
  enabled boolean, "order" integer, config jsonb)
order by m.place
on conflict (tenant_id, app_key) do update
set app_name = excluded.app_name, app_route = excluded.app_route, app_icon = excluded.app_icon, is_visible = excluded.is_visible,
  is_enabled = excluded.is_enabled, display_order = excluded.display_order, config = excluded.config;

-- name: OnboardMembersWrite
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.user_tenants (tenant_id, user_id, role)
select r.tenant_id, r.user_id, r.role
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, user_id uuid, role text)
order by m.place
on conflict (tenant_id, user_id) do update set role = excluded.role;

-- name: OnboardDefaultsSet
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
update public.users u
set organization_id = r.tenant_id
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, user_id uuid)
where u.id = r.user_id and u.organization_id is null;

-- name: OnboardInvitationsRevoke
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
update public.invitations i
set revoked_at = pg_catalog.now()
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, email text)
where i.tenant_id = r.tenant_id and pg_catalog.lower(i.email) = r.email and i.accepted_at is null and i.revoked_at is null;

-- name: OnboardInvitationsMake
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.invitations (tenant_id, email, role, token_hash, expires_at)
select r.tenant_id, r.email, r.role, pg_catalog.decode(r.token_hash, 'hex'), r.expires_at
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, email text, role text, token_hash text, expires_at timestamptz)
order by m.place;

-- name: OnboardOverridesWrite
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.tenant_feature_flags as t (tenant_id, feature_flag_id, enabled, variant, config, expires_at, reason, created_by)
select r.tenant_id, r.flag_id, r.enabled, r.variant, r.config, r.expires_at, r.reason, vital.author_id()
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, flag_id uuid, enabled boolean, variant text, config jsonb,
  expires_at timestamptz, reason text)
order by m.place
on conflict (tenant_id, feature_flag_id) do update
set enabled = excluded.enabled, variant = excluded.variant, config = excluded.config, expires_at = excluded.expires_at,
  reason = excluded.reason, created_by = excluded.created_by;

-- name: OnboardOverridesRemove
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
delete from public.tenant_feature_flags t
using mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, flag_id uuid)
where t.tenant_id = r.tenant_id and t.feature_flag_id = r.flag_id;

-- name: OnboardAgentsWrite
with mine as (
  delete from vital.staged_rows s where s.xid = pg_catalog.pg_current_xact_id() and s.step = $1 returning s.place, s.value
)
insert into public.tenant_agents as t (tenant_id, agent_tenant_id, agent_id, is_enabled, config)
select r.tenant_id, r.agent_tenant_id, r.agent_id, r.enabled, r.config
from mine m
cross join lateral pg_catalog.jsonb_to_record(m.value) r (tenant_id uuid, agent_tenant_id uuid, agent_id uuid, enabled boolean, config jsonb)
order by m.place
on conflict (tenant_id, agent_tenant_id, agent_id) do update set is_enabled = excluded.is_enabled, config = excluded.config;

-- name: OnboardSettle
set constraints all immediate;

-- name: OnboardMissing
select o.tenant_key, d.data_type, d.issue
from pg_catalog.unnest($1::uuid[]) with ordinality t (id, place)
join public.organizations o on o.id = t.id
cross join lateral public.detect_missing_tenant_data(t.id) d
where d.status <> 'OK'
order by t.place, d.data_type
limit 1000;
