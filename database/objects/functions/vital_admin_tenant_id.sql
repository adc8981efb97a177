-- owner: vital_definer
-- after: vital_current_membership.sql
--
-- The tenant the caller acts in, if they may administer it: owner or admin of an active tenant, or a
-- super admin in any that is not archived.
create or replace function vital.admin_tenant_id() returns uuid
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if (standing.state = 'active' and standing.role in ('owner', 'admin'))
    or (standing.is_super_admin and standing.state <> 'archived') then
    return standing.tenant_id;
  end if;
  return null;
end
$$;
comment on function vital.admin_tenant_id() is 'The tenant the caller may administer, else null';
grant execute on function vital.admin_tenant_id() to anon, authenticated, service_role;
