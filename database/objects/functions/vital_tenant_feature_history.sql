-- Every version of a tenant's override of a flag, the newest first, each with the one before it (JSON null:
-- none), for public.tenant_feature_history and operators. It shows what the caller's policies do.
create or replace function vital.tenant_feature_history(p_tenant_id uuid, p_flag_key text)
returns table (version integer, config jsonb, previous_config jsonb, reason text, created_by uuid, created_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select v.version, v.config, lag(v.config) over (order by v.version), v.reason, v.created_by, v.created_at
  from public.tenant_feature_flag_versions v
  join public.feature_flags f on f.id = v.feature_flag_id
  where v.tenant_id = p_tenant_id and f.flag_key = p_flag_key
  order by v.version desc
$$;
comment on function vital.tenant_feature_history(uuid, text) is 'Every version of a tenant''s override of a flag';
grant execute on function vital.tenant_feature_history(uuid, text) to authenticated, service_role;
