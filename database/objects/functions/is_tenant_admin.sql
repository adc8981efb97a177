-- owner: vital_definer
-- after: vital_current_membership.sql
--
-- Whether the caller administers the tenant they act in. The role is that of the membership in this
-- very tenant; being an admin elsewhere counts for nothing here.
create or replace function public.is_tenant_admin() returns boolean
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  return coalesce(standing.is_super_admin or (standing.state = 'active' and standing.role in ('owner', 'admin')), false);
end
$$;
comment on function public.is_tenant_admin() is 'Whether the caller is owner or admin of the tenant they act in, or a super admin';
grant execute on function public.is_tenant_admin() to anon, authenticated, service_role;
