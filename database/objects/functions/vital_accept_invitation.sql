-- owner: vital_definer
--
-- Makes a user a member by an invitation, for public.accept_invitation and for sign-up; who the user is was
-- judged there. It is good once, until it expires or is taken back, and for the address it was sent to; an
-- unknown one, a used one and another's answer alike. Of two calls at once, one finds it used. Definer,
-- because the user is no member yet.
create or replace function vital.accept_invitation(p_user_id uuid, p_token text) returns public.user_tenants
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  invitation public.invitations;
  member public.user_tenants;
  state public.org_lifecycle_state;
begin
  update public.invitations i set accepted_at = now(), accepted_by = p_user_id
  where i.token_hash = sha256(convert_to(p_token, 'UTF8'))
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
    and lower(i.email) = (select lower(btrim(u.email)) from public.users u where u.id = p_user_id)
  returning i.* into invitation;
  if not found then
    raise exception using errcode = 'VT206', message = 'There is no such invitation for this account.',
      hint = 'It may have been used, taken back or expired, or it was sent to another address. Ask for a new one.';
  end if;

  select o.lifecycle_state into state from public.organizations o where o.id = invitation.tenant_id;
  if state <> 'active' then
    raise exception using
      errcode = case state when 'pending' then 'VT106' when 'suspended' then 'VT107' else 'VT108' end,
      message = case state
        when 'pending' then 'This tenant awaits approval.'
        when 'suspended' then 'This tenant is suspended.'
        else 'This tenant is archived.' end,
      hint = case state when 'archived' then 'It no longer takes members.' else 'The invitation is kept; try again later.' end;
  end if;
  insert into public.user_tenants as m (tenant_id, user_id, role, invited_by)
  values (invitation.tenant_id, p_user_id, invitation.role, invitation.invited_by)
  on conflict (tenant_id, user_id) do nothing
  returning m.* into member;
  if not found then
    raise exception using errcode = 'VT203', message = 'You are a member of this tenant already.',
      hint = 'An admin of the tenant can change your role.';
  end if;
  update public.users u set organization_id = invitation.tenant_id where u.id = p_user_id and u.organization_id is null;
  return member;
end
$$;
comment on function vital.accept_invitation(uuid, text) is 'Makes a user a member by an invitation';
grant execute on function vital.accept_invitation(uuid, text) to service_role;
