-- after: set_feature_flag.sql
--
-- Makes a flag's definition what it was at an earlier version, as a new version; by a super admin or
-- service_role. Row-level security stays in force.
create or replace function public.rollback_feature_flag(p_flag_key text, p_version integer, p_reason text default null) returns public.feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  former jsonb;
  rolled public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.lock_definitions();
  flag := vital.find_feature_flag(p_flag_key);
  select jsonb_object_agg(c.key, c.value) into former
  from public.feature_flag_versions v
  cross join jsonb_each(v.config) c
  where v.feature_flag_id = flag.id and v.version = p_version and c.key = any (vital.definition_fields());
  if former is null then
    raise exception using errcode = 'VT205', message = format('The flag %s has no version %s.', p_flag_key, coalesce(p_version::text, 'null')),
      hint = format('Its newest is %s.', flag.version);
  end if;
  rolled := public.set_feature_flag(p_flag_key, former, null, coalesce(nullif(btrim(p_reason), ''), format('Back to version %s', p_version)));
  if rolled.version = flag.version then
    raise exception using errcode = 'VT203', message = format('The flag %s is as it was at version %s.', p_flag_key, p_version),
      hint = 'Nothing is left to do.';
  end if;
  return rolled;
end
$$;
comment on function public.rollback_feature_flag(text, integer, text) is 'Makes a flag what it was at an earlier version, as a new version';
grant execute on function public.rollback_feature_flag(text, integer, text) to authenticated, service_role;
