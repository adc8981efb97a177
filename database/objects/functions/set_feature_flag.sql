-- after: vital_require_operator.sql
-- after: vital_require_fields.sql
-- after: vital_require_version.sql
-- after: vital_require_value.sql
-- after: vital_definition_fields.sql
-- after: vital_changed_definition.sql
-- after: vital_find_feature_flag.sql
-- after: vital_lock_definitions.sql
-- after: vital_give_reason.sql
--
-- Changes fields of a flag definition, or makes it where p_expected_version is 0; by a super admin or
-- service_role. With p_expected_version, whoever has seen another version is refused and loses nothing.
-- What changes nothing makes no version. Row-level security stays in force.
create or replace function public.set_feature_flag(
  p_flag_key text, p_changes jsonb, p_expected_version integer default null, p_reason text default null
) returns public.feature_flags
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  flag public.feature_flags;
  wanted public.feature_flags;
begin
  perform vital.require_operator();
  perform vital.require_value(btrim(coalesce(p_flag_key, '')) <> '', 'p_flag_key', 'the key of a flag');
  perform vital.require_fields(p_changes, vital.definition_fields());
  perform vital.give_reason(p_reason);
  perform vital.lock_definitions();
  if p_expected_version = 0 then
    select f.* into flag from public.feature_flags f where f.flag_key = p_flag_key;
  else
    flag := vital.find_feature_flag(p_flag_key);
  end if;
  perform vital.require_version(p_expected_version, coalesce(flag.version, 0));

  wanted := vital.changed_definition(flag, p_changes);
  perform vital.require_value(wanted.flag_type in ('boolean', 'string', 'number', 'object'), 'flag_type', 'boolean, string, number or object');
  perform vital.require_value(jsonb_typeof(wanted.variants) = 'object', 'variants', 'an object of names and values');
  perform vital.require_value(jsonb_typeof(wanted.targeting) = 'object', 'targeting', 'an object, as JSON logic is');
  perform vital.require_value(jsonb_typeof(wanted.metadata) = 'object', 'metadata', 'an object');
  perform vital.require_value(jsonb_typeof(wanted.prerequisites) = 'array', 'prerequisites', 'an array');
  perform vital.require_value(wanted.default_variant is null or wanted.variants ? wanted.default_variant, 'default_variant', 'one of the variants');
  if to_jsonb(wanted) = to_jsonb(flag) then
    return flag;
  elsif flag.id is null then
    insert into public.feature_flags as f (
      flag_key, name, description, flag_type, default_enabled, variants, default_variant, targeting, is_active, category, owner,
      tags, expires_at, metadata, prerequisites)
    values (
      p_flag_key, wanted.name, wanted.description, wanted.flag_type, wanted.default_enabled, wanted.variants, wanted.default_variant,
      wanted.targeting, wanted.is_active, wanted.category, wanted.owner, wanted.tags, wanted.expires_at, wanted.metadata, wanted.prerequisites)
    returning f.* into flag;
  else
    update public.feature_flags f
    set name = wanted.name, description = wanted.description, flag_type = wanted.flag_type, default_enabled = wanted.default_enabled,
      variants = wanted.variants, default_variant = wanted.default_variant, targeting = wanted.targeting, is_active = wanted.is_active,
      category = wanted.category, owner = wanted.owner, tags = wanted.tags, expires_at = wanted.expires_at, metadata = wanted.metadata,
      prerequisites = wanted.prerequisites
    where f.id = flag.id
    returning f.* into flag;
  end if;
  return flag;
end
$$;
comment on function public.set_feature_flag(text, jsonb, integer, text) is 'Changes or makes a flag definition';
grant execute on function public.set_feature_flag(text, jsonb, integer, text) to authenticated, service_role, vital_definer;
