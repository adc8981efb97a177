-- after: vital_require_operator.sql
-- after: vital_find_feature_flag.sql
--
-- Every version of a flag's definition, the newest first, each with the one before it; for super admins and
-- service_role. Row-level security stays in force.
create or replace function public.feature_flag_history(p_flag_key text)
returns table (version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
begin
  perform vital.require_operator();
  flag := vital.find_feature_flag(p_flag_key);
  return query
    select v.version, v.config, lag(v.config) over (order by v.version), v.reason, v.created_by, v.created_at
    from public.feature_flag_versions v
    where v.feature_flag_id = flag.id
    order by v.version desc;
end
$$;
comment on function public.feature_flag_history(text) is 'Every version of a flag''s definition, with the one before it';
grant execute on function public.feature_flag_history(text) to authenticated, service_role;
