-- after: vital_require_operator.sql
-- after: vital_find_feature_flag.sql
-- after: vital_definition_fields.sql
-- after: vital_diff_json.sql
--
-- Where two versions of a flag's definition differ, as JSON pointers; p_to defaults to the present one, and
-- p_from to the one before p_to. For super admins and service_role. Row-level security stays in force.
create or replace function public.diff_feature_flag(p_flag_key text, p_from integer default null, p_to integer default null)
returns table (path text, before jsonb, after jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  configs jsonb[];
  wanted integer;
begin
  perform vital.require_operator();
  flag := vital.find_feature_flag(p_flag_key);
  p_to := coalesce(p_to, flag.version);
  foreach wanted in array array[coalesce(p_from, p_to - 1), p_to] loop
    configs := array_append(configs, (
      select jsonb_object_agg(c.key, c.value)
      from public.feature_flag_versions v
      cross join jsonb_each(v.config) c
      where v.feature_flag_id = flag.id and v.version = wanted and c.key = any (array['flag_key'] || vital.definition_fields())));
    if configs[array_upper(configs, 1)] is null and (wanted <> 0 or p_from is not null) then -- before the first there is nothing
      raise exception using errcode = 'VT205', message = format('The flag %s has no version %s.', p_flag_key, wanted),
        hint = format('Its newest is %s.', flag.version);
    end if;
  end loop;
  return query select d.path, d.before, d.after from vital.diff_json(configs[1], configs[2]) d;
end
$$;
comment on function public.diff_feature_flag(text, integer, integer) is 'Where two versions of a flag''s definition differ';
grant execute on function public.diff_feature_flag(text, integer, integer) to authenticated, service_role;
