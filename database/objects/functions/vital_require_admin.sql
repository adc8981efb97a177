-- owner: vital_definer
-- after: vital_require_standing.sql
--
-- The standing of a caller who administers the tenant they act in, or the named one: owner or admin of an
-- active tenant, or a super admin in any that is not archived. Anybody else gets the error that says
-- why. Definer, because require_standing is.
create or replace function vital.require_admin(p_tenant_id uuid default null) returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return vital.require_standing(array['owner', 'admin'], p_tenant_id);
end
$$;
comment on function vital.require_admin(uuid) is 'The standing of a caller who administers a tenant, else an error';
grant execute on function vital.require_admin(uuid) to authenticated, service_role;
