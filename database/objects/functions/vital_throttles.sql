-- Of a tenant's limits those that are the operator's to set: what the tenant may take of the server.
create or replace function vital.throttles(p_limits jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(l.key, l.value), '{}')
  from jsonb_each(case jsonb_typeof(p_limits) when 'object' then p_limits else '{}' end) l
  where l.key in ('requests_per_second', 'concurrent_requests') and l.value <> 'null'
$$;
comment on function vital.throttles(jsonb) is 'Of a tenant''s limits those that are the operator''s to set';
grant execute on function vital.throttles(jsonb) to authenticated, service_role, vital_definer;
