-- owner: vital_definer
-- after: vital_leave_tenant.sql
-- after: vital_require_acting_admin.sql
--
-- Ends an entry into a tenant before its time: the caller's own, or p_user_id's, by an owner or admin of the tenant, who acts in it.
-- Definer, because entries are written through functions alone.
create or replace function public.leave_tenant(p_tenant_id uuid, p_user_id uuid default null, p_reason text default null) returns public.break_glass
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a user. An operator without one runs `vital tenant leave`.';
  end if;
  if p_user_id is not null and p_user_id <> caller.user_id then
    perform vital.require_acting_admin(p_tenant_id);
  end if;
  return vital.leave_tenant(p_tenant_id, coalesce(p_user_id, caller.user_id), p_reason);
end
$$;
comment on function public.leave_tenant(uuid, uuid, text) is 'Ends an entry into a tenant: one''s own, or another''s by an admin of the tenant';
grant execute on function public.leave_tenant(uuid, uuid, text) to authenticated, service_role;
