-- owner: vital_definer
-- after: vital_require_admin.sql
-- after: vital_invite_member.sql
--
-- Invites an address to the tenant the caller administers, as owner (by owners alone), admin, member or
-- viewer. The token is returned this once: whoever signs in with that address accepts with it. Definer,
-- because invitations are written through functions alone.
create or replace function public.invite_member(p_email text, p_role text default 'member', p_expires_in interval default interval '7 days')
returns table (id uuid, email text, role text, expires_at timestamptz, token text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  if p_role = 'owner' and standing.role <> 'owner' and not standing.is_super_admin then
    raise exception using errcode = 'VT110', message = 'Only owners invite owners.', hint = 'Ask an owner of the tenant.';
  end if;
  return query select i.* from vital.invite_member(standing.tenant_id, p_email, p_role, p_expires_in) i;
end
$$;
comment on function public.invite_member(text, text, interval) is 'Invites an address to the tenant the caller administers';
grant execute on function public.invite_member(text, text, interval) to authenticated, service_role;
