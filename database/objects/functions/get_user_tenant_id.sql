-- owner: vital_definer
-- after: vital_current_membership.sql
--
-- The tenant the caller acts in and may read: they are an active member and the tenant is active, or
-- they are a super admin who named it. Null otherwise, so that a policy denies.
create or replace function public.get_user_tenant_id() returns uuid
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if standing.state = 'active' or standing.is_super_admin then
    return standing.tenant_id;
  end if;
  return null;
end
$$;
comment on function public.get_user_tenant_id() is 'The tenant the caller acts in, null when there is none they may read';
grant execute on function public.get_user_tenant_id() to anon, authenticated, service_role;
