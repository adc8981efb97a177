-- owner: vital_definer
-- after: vital_require_standing.sql
--
-- The standing of a caller who is any member of the tenant they act in, the tenant active; or a super
-- admin in any. Anybody else gets the error that says why. Definer, because require_standing is.
create or replace function vital.require_member() returns vital.membership
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return vital.require_standing(array['owner', 'admin', 'member', 'viewer']);
end
$$;
comment on function vital.require_member() is 'The standing of a caller who is a member of their tenant, else an error';
grant execute on function vital.require_member() to authenticated, service_role;
