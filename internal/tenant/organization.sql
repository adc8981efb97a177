What operators ask of tenants.

-- name: OrganizationList
select o.id, o.name, o.slug, o.tenant_type, o.tenant_key, o.lifecycle_state::text, o.subscription_tier,
  (select p.slug from public.organizations p where p.id = o.parent_organization_id),
  (select pg_catalog.count(*) from public.user_tenants m where m.tenant_id = o.id),
  o.created_at
from public.organizations o
where ($1::text = '' or pg_catalog.strpos(pg_catalog.lower(o.name), pg_catalog.lower($1)) > 0 or pg_catalog.strpos(o.slug, pg_catalog.lower($1)) > 0)
  and ($2::text = '' or o.lifecycle_state::text = $2)
order by o.name, o.id
limit $3 offset $4;

-- name: OrganizationCount
select pg_catalog.count(*)
from public.organizations o
where ($1::text = '' or pg_catalog.strpos(pg_catalog.lower(o.name), pg_catalog.lower($1)) > 0 or pg_catalog.strpos(o.slug, pg_catalog.lower($1)) > 0)
  and ($2::text = '' or o.lifecycle_state::text = $2);

-- name: OrganizationRead
select o.id, o.name, o.slug, o.tenant_type, o.tenant_key, o.lifecycle_state::text, o.subscription_tier,
  (select p.slug from public.organizations p where p.id = o.parent_organization_id),
  (select pg_catalog.count(*) from public.user_tenants m where m.tenant_id = o.id),
  o.created_at
from public.organizations o
where o.id = $1;

-- name: OrganizationSettings
select c.ui_config, c.enabled_features, c.enabled_apps, c.enabled_agent_tiers, c.limits, c.compliance_settings
from public.tenant_configurations c
where c.tenant_id = $1;

-- name: OrganizationApps
select a.app_key, a.app_name, a.app_route, a.is_visible, a.is_enabled
from public.tenant_apps a
where a.tenant_id = $1
order by a.display_order, a.app_key;

-- name: OrganizationLimits
select l.key, l.value #>> '{}',
  case l.key
    when 'max_agents' then (select pg_catalog.count(*) from public.tenant_agents a where a.tenant_id = c.tenant_id)
    when 'max_conversations' then (select pg_catalog.count(*) from public.chat_sessions s where s.tenant_id = c.tenant_id)
  end
from public.tenant_configurations c
cross join lateral pg_catalog.jsonb_each(c.limits) l
where c.tenant_id = $1
order by l.key;

-- name: OrganizationCreate
select (t).id from public.create_tenant($1, $2, $3, $4, $5, $6, $7, $8::text::public.org_lifecycle_state, $9) t;

-- name: OrganizationMove
select (t).lifecycle_state::text from public.change_tenant_state($1, $2, $3) t;

-- name: OrganizationApproval
select coalesce(o.approved_at, l.created_at), coalesce(o.approved_by, l.actor_id), u.email, l.actor_role, l.database_role::text, l.reason
from public.organizations o
left join lateral (
  select a.created_at, a.actor_id, a.actor_role, a.database_role, a.reason
  from public.organization_audit_log a
  where a.organization_id = o.id and a.action = 'approved' and a.entity = 'organizations'
  order by a.seq desc
  limit 1
) l on true
left join public.users u on u.id = coalesce(o.approved_by, l.actor_id)
where o.id = $1 and (o.approved_at is not null or l.created_at is not null);

-- name: ActFor
select coalesce(pg_catalog.set_config('vital.author', p.id::text, true), '') <> ''
from (select $1::uuid as user_id) w
left join public.profiles p on p.id = w.user_id and p.role = 'super_admin';
