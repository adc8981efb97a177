-- owner: vital_definer
-- after: vital_settle_audit.sql
-- after: vital_settle_versions.sql
--
-- Deferred trigger of vital.pending_audit and vital.pending_versions: whichever fires first at commit
-- settles both, always in this order. Two triggers that each settled their own would take their locks
-- in the order of the writer's statements, and two writers could wait for each other in a circle.
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
