-- A flag definition with some of its fields changed; null puts one back to what it is without.
create or replace function vital.changed_definition(p_flag public.feature_flags, p_changes jsonb) returns public.feature_flags
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags := jsonb_populate_record(p_flag, p_changes);
begin
  flag.flag_type := coalesce(flag.flag_type, 'boolean');
  flag.default_enabled := coalesce(flag.default_enabled, false);
  flag.variants := coalesce(flag.variants, '{}');
  flag.targeting := coalesce(flag.targeting, '{}');
  flag.is_active := coalesce(flag.is_active, true);
  flag.tags := coalesce(flag.tags, '{}');
  flag.metadata := coalesce(flag.metadata, '{}');
  flag.prerequisites := coalesce(flag.prerequisites, '[]');
  return flag;
end
$$;
comment on function vital.changed_definition(public.feature_flags, jsonb) is 'A flag definition with some of its fields changed';
grant execute on function vital.changed_definition(public.feature_flags, jsonb) to authenticated, service_role, vital_definer;
