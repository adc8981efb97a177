-- owner: vital_definer
-- after: vital_require_admin.sql
--
-- Takes an open invitation of the tenant the caller administers back. Definer, because invitations are
-- written through functions alone.
create or replace function public.revoke_invitation(p_invitation_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  update public.invitations i set revoked_at = now()
  where i.tenant_id = standing.tenant_id and i.id = p_invitation_id and i.accepted_at is null and i.revoked_at is null;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such open invitation.',
      hint = 'One that was accepted is undone by removing the member.';
  end if;
end
$$;
comment on function public.revoke_invitation(uuid) is 'Takes an open invitation back';
grant execute on function public.revoke_invitation(uuid) to authenticated, service_role;
