-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
-- after: vital_find_feature_flag.sql
--
-- How far a flag reaches: in how many tenants it is overridden, by what has not run out, and in how many it was
-- evaluated in the last p_days. For super admins and service_role. Definer, because it counts across tenants; it
-- tells numbers, and names no tenant.
create or replace function public.feature_flag_reach(p_flag_key text, p_days integer default 30)
returns table (overriding bigint, evaluating bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.require_value(p_days between 1 and 90, 'p_days', 'between 1 and 90: counts are kept for 90 days');
  flag := vital.find_feature_flag(p_flag_key);
  return query select
    (select count(*) from public.tenant_feature_flags t where t.feature_flag_id = flag.id and (t.expires_at is null or t.expires_at > now())),
    (select count(distinct u.tenant_id) from public.tenant_feature_flag_usage u
      where u.feature_flag_id = flag.id and u.day > (now() at time zone 'UTC')::date - p_days);
end
$$;
comment on function public.feature_flag_reach(text, integer) is 'In how many tenants a flag is overridden, and evaluated';
grant execute on function public.feature_flag_reach(text, integer) to authenticated, service_role;
