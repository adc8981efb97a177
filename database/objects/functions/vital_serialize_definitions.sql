-- owner: vital_definer
-- after: vital_lock_definitions.sql
--
-- Trigger of the tables of flag definitions, before each writing statement: definitions are written by one
-- transaction after another, whichever way. Definer, because lock_definitions is.
create or replace function vital.serialize_definitions() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.lock_definitions();
  return null;
end
$$;
comment on function vital.serialize_definitions() is 'Lets one transaction after another write flag definitions';
grant execute on function vital.serialize_definitions() to vital_owner; -- to attach it to a table
