-- after: vital_caller_context.sql
--
-- Who a user is, which tenants are theirs, and how the tenant they act in is set up, as one object:
-- user, organization, membership, tenants, config, version. Callers get their own; only service_role
-- and super admins name another user. Raises an error that names the step which failed, never null.
create or replace function public.get_user_tenant_context(p_user_id uuid default null) returns jsonb
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
begin
  if row_security_active('public.users') then
    return (select c.body from vital.caller_context(p_user_id) c);
  end if;
  if p_user_id is null then
    raise exception using errcode = 'VT100', message = 'Name the user whose context is wanted.',
      hint = 'service_role stands for no user; pass p_user_id.';
  end if;
  return (select c.body from vital.build_context(p_user_id, '') c);
end
$$;
comment on function public.get_user_tenant_context(uuid) is 'Context of the caller; service_role and super admins may name another user';
grant execute on function public.get_user_tenant_context(uuid) to anon, authenticated, service_role;
