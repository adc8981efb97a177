-- after: vital_tenant_for.sql
--
-- The tenant the caller acts in and may read: they are an active member and the tenant is active, or
-- they are a super admin who named it. Null otherwise, so that a policy denies.
-- A plain SQL expression, which the planner puts in place: policies pay for one call.
create or replace function public.get_user_tenant_id() returns uuid
language sql stable parallel restricted
as $$
  select vital.tenant_for('read')
$$;
comment on function public.get_user_tenant_id() is 'The tenant the caller acts in, null when there is none they may read';
grant execute on function public.get_user_tenant_id() to anon, authenticated, service_role, vital_definer;
