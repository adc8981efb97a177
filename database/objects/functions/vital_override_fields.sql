-- What of a tenant's override is changed by its writers.
create or replace function vital.override_fields() returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '{enabled,variant,config,expires_at}'::text[]
$$;
comment on function vital.override_fields() is 'The fields of a tenant''s override that change';
grant execute on function vital.override_fields() to authenticated, service_role, vital_definer;
