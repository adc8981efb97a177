-- owner: vital_definer
-- after: vital_current_membership.sql
-- after: is_super_admin.sql
-- after: vital_may_enter.sql
--
-- The caller's standing in the tenant they act in, or in the named one, if it is of one of p_roles; else
-- the error that says why not. Every function that writes asks here, through require_member,
-- require_writer or require_admin. A tenant that does not exist and one the caller is no member of
-- answer alike; a super admin is told that they have to enter it first, where that is so. What operates a tenant names it, and takes no
-- entry. Definer, because it must see memberships before any policy can; executable by no role,
-- so that it cannot be asked about other tenants.
create or replace function vital.require_standing(p_roles text[], p_tenant_id uuid default null) returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
  standing vital.membership;
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user. service_role acts in no tenant: it calls the function of schema vital that names one.';
  end if;
  standing := vital.current_membership();
  if standing.tenant_id is not null then
    standing.is_super_admin := public.is_super_admin() and vital.may_enter(standing.tenant_id, caller.user_id); -- a super admin stays one where they are a member too
  end if;
  if p_tenant_id is not null and (p_tenant_id is distinct from standing.tenant_id or not standing.is_super_admin) then
    standing := null;
    select o.id, caller.user_id, coalesce(m.role, 'admin'), p.id is not null, o.lifecycle_state
    into standing
    from public.organizations o
    left join public.user_tenants m on m.tenant_id = o.id and m.user_id = caller.user_id and m.status = 'active'
    left join public.profiles p on p.id = caller.user_id and p.role = 'super_admin'
    where o.id = p_tenant_id and (m.id is not null or p.id is not null);
  end if;

  if standing.tenant_id is null and public.is_super_admin() and p_tenant_id is null and (select s.break_glass_required from vital.settings s) then
    raise exception using errcode = 'VT302', message = 'Acting in this tenant takes an entry, with a reason and an end.',
      hint = 'Enter it with `vital tenant enter`, or the function enter_tenant. If you are in already, your time may be over.';
  elsif standing.tenant_id is null then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Check the Vital-Tenant header or the token''s tenant claim; without both, your default tenant is used.';
  elsif (standing.state <> 'active' and not standing.is_super_admin)
    or (standing.state = 'archived' and not 'viewer' = any (p_roles)) then
    raise exception using
      errcode = case standing.state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case standing.state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case standing.state
        when 'pending' then 'An operator has to approve it first.'
        when 'suspended' then 'Ask the operator of the platform why; they can activate it again.'
        else 'Its data is kept, but it no longer serves its members.' end;
  elsif not standing.is_super_admin and not standing.role = any (p_roles) then
    raise exception using errcode = 'VT110', message = format('Your role in this tenant is %s; this takes %s.', standing.role,
        case when 'viewer' = any (p_roles) then 'a member' when 'member' = any (p_roles) then 'one that may write'
          else 'an owner or admin' end),
      hint = 'Ask an admin of the tenant.';
  end if;
  return standing;
end
$$;
comment on function vital.require_standing(text[], uuid) is 'The caller''s standing in a tenant if it is of one of the roles, else an error';
