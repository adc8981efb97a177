-- What of a flag definition is changed by its writers; the rest (id, key, version, times) is not.
create or replace function vital.definition_fields() returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '{name,description,flag_type,default_enabled,variants,default_variant,targeting,is_active,category,owner,tags,expires_at,metadata,prerequisites}'::text[]
$$;
comment on function vital.definition_fields() is 'The fields of a flag definition that change';
grant execute on function vital.definition_fields() to authenticated, service_role, vital_definer;
