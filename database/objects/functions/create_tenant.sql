-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
--
-- Makes a tenant with everything it needs in one transaction: the organization, what the template of its
-- tenant_type says (vital.provision_tenant: configuration, apps, overrides), and the owner's membership, by a
-- super admin or service_role. Definer, because memberships are written through
-- functions alone.
create or replace function public.create_tenant(
  p_name text, p_slug text, p_tenant_type text, p_tenant_key text default null, p_owner_id uuid default null,
  p_subscription_tier text default 'standard', p_parent_organization_id uuid default null,
  p_lifecycle_state public.org_lifecycle_state default 'active', p_reason text default null
) returns public.organizations
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  owner_id constant uuid := coalesce(p_owner_id, caller.user_id);
  tenant public.organizations;
begin
  perform vital.require_operator();
  perform vital.require_value(length(btrim(p_name)) between 1 and 255, 'p_name', 'a name of 1 to 255 characters');
  perform vital.require_value(length(p_slug) <= 100 and p_slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and p_slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    'p_slug', 'lower-case letters, digits and single hyphens, at most 100, and no id');
  perform vital.require_value(length(p_tenant_type) <= 50 and p_tenant_type ~ '^[a-z][a-z0-9_]*$',
    'p_tenant_type', 'lower-case letters, digits and underscores, at most 50');
  perform vital.require_value(p_tenant_key is null or (length(p_tenant_key) <= 100 and p_tenant_key ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$'),
    'p_tenant_key', 'letters, digits, dots, hyphens and underscores, at most 100');
  perform vital.require_value(p_subscription_tier in ('free', 'standard', 'professional', 'enterprise'),
    'p_subscription_tier', 'free, standard, professional or enterprise');
  perform vital.require_value(p_lifecycle_state in ('pending', 'active'), 'p_lifecycle_state', 'pending or active');
  perform vital.require_value(owner_id is not null, 'p_owner_id', 'given: service_role stands for no user');
  if not exists (select from public.users u where u.id = owner_id) then
    raise exception using errcode = 'VT205', message = 'There is no such user.', hint = 'p_owner_id is an id of the table users.';
  end if;
  if p_parent_organization_id is not null then
    perform vital.require_changeable(p_parent_organization_id);
  end if;
  perform vital.give_reason(p_reason);

  insert into public.organizations as o (name, slug, tenant_type, tenant_key, subscription_tier, parent_organization_id, lifecycle_state)
  values (btrim(p_name), p_slug, p_tenant_type, coalesce(p_tenant_key, p_slug), p_subscription_tier, p_parent_organization_id, p_lifecycle_state)
  on conflict do nothing
  returning o.* into tenant;
  if not found then
    raise exception using errcode = 'VT203', message = 'There is a tenant with this slug or key already.',
      hint = 'Choose another slug or tenant_key.';
  end if;
  insert into public.user_tenants (tenant_id, user_id, role) values (tenant.id, owner_id, 'owner');
  update public.users u set organization_id = tenant.id where u.id = owner_id and u.organization_id is null;
  return tenant;
end
$$;
comment on function public.create_tenant(text, text, text, text, uuid, text, uuid, public.org_lifecycle_state, text) is 'Makes a tenant with configuration, core apps and owner';
grant execute on function public.create_tenant(text, text, text, text, uuid, text, uuid, public.org_lifecycle_state, text) to authenticated, service_role;
