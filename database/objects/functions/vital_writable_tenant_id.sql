-- after: vital_tenant_for.sql
--
-- The tenant the caller acts in, if they may write its rows: not a viewer, the tenant active. A super
-- admin may write in any that is not archived.
-- A plain SQL expression, which the planner puts in place: policies pay for one call.
create or replace function vital.writable_tenant_id() returns uuid
language sql stable parallel restricted
as $$
  select vital.tenant_for('write')
$$;
comment on function vital.writable_tenant_id() is 'The tenant the caller may write rows of, else null';
grant execute on function vital.writable_tenant_id() to anon, authenticated, service_role, vital_definer;
