-- Adds a record of a load that was measured elsewhere, with the caller's own rights: a member's of their own loads in the tenant
-- they act in, service_role's of any. Without a tenant it is the platform's: a load that failed before its tenant was known.
create or replace function public.log_query_performance(
  p_query_name text, p_tenant_id uuid, p_user_id uuid, p_execution_time_ms integer, p_rows_returned integer, p_cache_hit boolean default false
) returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into public.query_performance (query_name, tenant_id, user_id, execution_time_ms, rows_returned, cache_hit)
  values (p_query_name, coalesce(p_tenant_id, '00000000-0000-0000-0000-000000000001'), p_user_id, p_execution_time_ms, p_rows_returned, coalesce(p_cache_hit, false))
$$;
comment on function public.log_query_performance(text, uuid, uuid, integer, integer, boolean) is 'Adds a record of a load to query_performance';
grant execute on function public.log_query_performance(text, uuid, uuid, integer, integer, boolean) to authenticated, service_role;
