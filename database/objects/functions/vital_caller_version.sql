-- owner: vital_definer
-- after: vital_current_membership.sql
-- after: vital_context_version.sql
--
-- The version of the caller's context in the tenant they act in, null when they are in none. After
-- `set constraints all immediate` it includes what this transaction has changed. Definer, because
-- nobody but its functions reads vital.versions.
create or replace function vital.caller_version() returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.current_membership();
begin
  if standing.tenant_id is null then
    return null;
  end if;
  return vital.context_version(standing.tenant_id, standing.user_id);
end
$$;
comment on function vital.caller_version() is 'The version of the caller''s context in the tenant they act in';
grant execute on function vital.caller_version() to authenticated;
