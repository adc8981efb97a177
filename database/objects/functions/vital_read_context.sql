-- owner: vital_definer
-- after: vital_context_version.sql
-- after: vital_context_stamp.sql
-- after: vital_context_document.sql
-- after: vital_may_enter.sql
--
-- The context of one user in one tenant, in its two parts, or an error that names the step which failed: what is the
-- caller's (user, membership, tenants, version) and what all members share (the tenant's document). p_tenant is an id,
-- a slug, or '' for the user's default. Whoever has the document of a tenant at hand says which, by its stamp; where
-- that still holds, it is not made again and comes as null. Definer: it joins what no single policy shows together, and
-- checks membership itself.
--
-- A tenant that does not exist and one the user is no member of answer alike.
create or replace function vital.read_context(
  p_user_id uuid, p_tenant text, p_known_tenant uuid default null, p_known_stamp text default null,
  out tenant_id uuid, out version text, out stamp text, out caller json, out document json
)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  wanted uuid;
  who record;
  oversees boolean;
begin
  if p_tenant <> '' and p_tenant !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    select o.id into wanted from public.organizations o where o.slug = p_tenant;
    wanted := coalesce(wanted, 'ffffffff-ffff-ffff-ffff-ffffffffffff'); -- no tenant: found by nobody
  else
    wanted := nullif(p_tenant, '');
  end if;

  select
    u.id as user_id, u.organization_id, p.id as profile_id, p.email, p.full_name, p.role = 'super_admin' as is_super_admin, p.role,
    o.id as tenant_id, o.lifecycle_state, m.role as member_role, m.joined_at
  into who
  from public.users u
  left join public.profiles p on p.id = u.id
  left join public.organizations o on o.id = coalesce(wanted, u.organization_id)
  left join public.user_tenants m on m.tenant_id = o.id and m.user_id = u.id and m.status = 'active'
  where u.id = p_user_id;
  oversees := who.is_super_admin and (who.tenant_id is null or vital.may_enter(who.tenant_id, p_user_id));

  if who.user_id is null then
    raise exception using errcode = 'VT101', message = 'This account is not known here.',
      hint = 'The account exists with the sign-in service but has no row in users; an operator can add it (vital fix data).';
  elsif who.profile_id is null then
    raise exception using errcode = 'VT102', message = 'This account has no profile.',
      hint = 'An operator can add the missing row in profiles (vital fix data).';
  elsif wanted is null and who.organization_id is null then
    raise exception using errcode = 'VT103', message = 'This user has no default tenant.',
      hint = 'Name one with the Vital-Tenant header, or have an operator set users.organization_id.';
  elsif who.member_role is null and not oversees then
    if who.is_super_admin then
      raise exception using errcode = 'VT302', message = 'Acting in this tenant takes an entry, with a reason and an end.',
        hint = 'Enter it with `vital tenant enter`, or the function enter_tenant. If you are in already, your time may be over.';
    elsif wanted is null then
      raise exception using errcode = 'VT105', message = 'This user is not a member of their default tenant.',
        hint = 'Name a tenant with the Vital-Tenant header, or have an admin of the default tenant add the membership.';
    end if;
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif who.lifecycle_state <> 'active' and not oversees then
    raise exception using
      errcode = case who.lifecycle_state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case who.lifecycle_state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case who.lifecycle_state
        when 'pending' then 'An operator has to approve it first.'
        when 'suspended' then 'Ask the operator of the platform why; they can activate it again.'
        else 'Its data is kept, but it no longer serves its members.' end;
  end if;
  tenant_id := who.tenant_id;
  version := vital.context_version(tenant_id, p_user_id);
  stamp := vital.context_stamp(tenant_id);
  if p_known_tenant is distinct from tenant_id or p_known_stamp is distinct from stamp then
    document := vital.context_document(tenant_id);
    if document is null then
      raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
        hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
    end if;
  end if;
  caller := json_build_object(
    'user', json_build_object('id', p_user_id, 'email', who.email, 'full_name', who.full_name, 'role', who.role),
    'membership', case when who.member_role is not null then
      json_build_object('role', who.member_role, 'joined_at', who.joined_at) end,
    'tenants', (
      select coalesce(json_agg(json_build_object(
        'id', o.id, 'name', o.name, 'slug', o.slug, 'tenant_type', o.tenant_type,
        'lifecycle_state', o.lifecycle_state, 'role', m.role) order by o.name, o.id), '[]')
      from public.user_tenants m
      join public.organizations o on o.id = m.tenant_id
      where m.user_id = p_user_id and m.status = 'active'),
    'version', version);
end
$$;
comment on function vital.read_context(uuid, text, uuid, text) is 'The context of a user in a tenant, in two parts, or an error that names the step which failed';
