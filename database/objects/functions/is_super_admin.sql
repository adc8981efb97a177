-- owner: vital_definer
-- after: vital_identity.sql
--
-- Whether the caller operates the platform. Definer: a policy on profiles that read profiles would
-- call itself for ever.
create or replace function public.is_super_admin() returns boolean
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  return exists (select from public.profiles p where p.id = caller.user_id and p.role = 'super_admin');
end
$$;
comment on function public.is_super_admin() is 'Whether the caller is a super admin of the platform';
grant execute on function public.is_super_admin() to anon, authenticated, service_role;
