-- owner: vital_definer
-- after: vital_is_operator.sql
-- after: is_super_admin.sql
--
-- Waits until no other transaction writes flag definitions or evaluators, and keeps the others out to the
-- end of this one: of two changes that would close a circle together, the second sees the first. The row
-- is written and not only locked, so that a transaction with an older snapshot fails instead of missing
-- what was changed meanwhile. Whoever may not write them waits for nobody and keeps nobody out. Definer,
-- because the row is nobody's.
create or replace function vital.lock_definitions() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if vital.is_operator() or public.is_super_admin() then
    update vital.definition_lock l set changed_at = clock_timestamp();
  end if;
end
$$;
comment on function vital.lock_definitions() is 'Keeps other writers of flag definitions out to the end of the transaction';
grant execute on function vital.lock_definitions() to authenticated, service_role, vital_definer;
