-- owner: vital_definer
-- after: vital_identity.sql
-- after: vital_accept_invitation.sql
--
-- Makes the caller a member by an invitation, whatever tenant they act in. Definer, because the caller is
-- no member yet.
create or replace function public.accept_invitation(p_token text) returns public.user_tenants
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Sign in with the address the invitation was sent to.';
  end if;
  return vital.accept_invitation(caller.user_id, p_token);
end
$$;
comment on function public.accept_invitation(text) is 'Makes the caller a member by an invitation';
grant execute on function public.accept_invitation(text) to authenticated, service_role;
