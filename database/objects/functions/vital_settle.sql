-- owner: vital_definer
-- after: vital_settle_audit.sql
-- after: vital_settle_versions.sql
--
-- Deferred trigger of the one row of vital.pending_versions that marks a transaction with something to
-- settle, so it runs once a commit however many rows were changed. Audit rows first, then versions, each
-- in one order: two writers whose locks followed their statements could wait for each other in a circle.
create or replace function vital.settle() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.settle_audit();
  perform vital.settle_versions();
  return null;
end
$$;
comment on function vital.settle() is 'Writes audit rows and raises versions of a transaction, at its commit';
grant execute on function vital.settle() to vital_owner; -- to attach it to a table
