-- after: vital_tenant_for.sql
--
-- The tenant the caller acts in, if they may read what only admins read: owner or admin of an active
-- tenant, or a super admin in any, archived ones included.
-- A plain SQL expression, which the planner puts in place: policies pay for one call.
create or replace function vital.overseen_tenant_id() returns uuid
language sql stable parallel restricted
as $$
  select vital.tenant_for('oversee')
$$;
comment on function vital.overseen_tenant_id() is 'The tenant whose administration the caller may look at, else null';
grant execute on function vital.overseen_tenant_id() to anon, authenticated, service_role, vital_definer;
