-- owner: vital_definer
-- after: vital_enter_tenant.sql
-- after: is_super_admin.sql
--
-- Lets the caller, a super admin, into a tenant they are no member of: with a reason that the tenant's admins read, and for a time
-- (vital.settings.break_glass_longest at most), after which it ends by itself. Definer, because entries are written through
-- functions alone.
create or replace function public.enter_tenant(p_tenant_id uuid, p_reason text, p_duration interval default '1 hour') returns public.break_glass
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  if caller.user_id is null then
    raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
      hint = 'Send the access token of a super admin. An operator without one runs `vital tenant enter`.';
  elsif not public.is_super_admin() then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform enter tenants.',
      hint = 'Members are in their tenants as they are; others are invited.';
  end if;
  return vital.enter_tenant(p_tenant_id, caller.user_id, p_reason, p_duration);
end
$$;
comment on function public.enter_tenant(uuid, text, interval) is 'Lets the caller, a super admin, into a tenant they are no member of, for a time';
grant execute on function public.enter_tenant(uuid, text, interval) to authenticated, service_role;
