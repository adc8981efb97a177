-- after: vital_tenant_for.sql
--
-- The tenant the caller acts in, if they may administer it: owner or admin of an active tenant, or a
-- super admin in any that is not archived.
-- A plain SQL expression, which the planner puts in place: policies pay for one call.
create or replace function vital.admin_tenant_id() returns uuid
language sql stable parallel restricted
as $$
  select vital.tenant_for('administer')
$$;
comment on function vital.admin_tenant_id() is 'The tenant the caller may administer, else null';
grant execute on function vital.admin_tenant_id() to anon, authenticated, service_role, vital_definer;
