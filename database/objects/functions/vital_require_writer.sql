-- owner: vital_definer
-- after: vital_require_standing.sql
--
-- The standing of a caller who may write rows of the tenant they act in: no viewer, the tenant active; or
-- a super admin in any that is not archived. Anybody else gets the error that says why. Definer, because
-- require_standing is.
create or replace function vital.require_writer() returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return vital.require_standing(array['owner', 'admin', 'member']);
end
$$;
comment on function vital.require_writer() is 'The standing of a caller who may write in their tenant, else an error';
grant execute on function vital.require_writer() to authenticated, service_role;
