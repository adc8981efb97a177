-- owner: vital_definer
-- after: vital_identity.sql
-- after: vital_may_enter.sql
--
-- The caller in the tenant they name, or in their default tenant: the one place that decides whether
-- somebody is in a tenant. All null when they are not. A super admin is in every tenant they name and may enter
-- (vital.may_enter).
-- Definer, because it must see memberships before any policy can.
create or replace function vital.current_membership() returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
  wanted uuid;
begin
  if caller.user_id is null then
    return null;
  end if;
  if caller.tenant = '' then
    select u.organization_id into wanted from public.users u where u.id = caller.user_id;
  elsif length(caller.tenant) = 36 and caller.tenant ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    wanted := caller.tenant;
  else
    select o.id into wanted from public.organizations o where o.slug = caller.tenant;
  end if;

  select m.tenant_id, m.user_id, m.role, false, o.lifecycle_state
  into standing
  from public.user_tenants m
  join public.organizations o on o.id = m.tenant_id
  where m.tenant_id = wanted and m.user_id = caller.user_id and m.status = 'active';
  if found and standing.state = 'active' and standing.role in ('owner', 'admin') then
    return standing; -- the common case of a writer needs no second look
  end if;

  if exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin') and vital.may_enter(wanted, caller.user_id) then
    select o.id, caller.user_id, coalesce(standing.role, 'admin'), true, o.lifecycle_state
    into standing
    from public.organizations o
    where o.id = wanted;
  end if;
  return standing;
end
$$;
comment on function vital.current_membership() is 'The caller''s standing in the tenant they act in';
