-- after: get_user_tenant_context.sql
--
-- The same under the name of the assessment's section 8.2, where the user is always named.
create or replace function public.get_user_tenant_context_optimized(p_user_id uuid) returns jsonb
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select public.get_user_tenant_context(p_user_id)
$$;
comment on function public.get_user_tenant_context_optimized(uuid) is 'get_user_tenant_context for a named user';
grant execute on function public.get_user_tenant_context_optimized(uuid) to anon, authenticated, service_role;
