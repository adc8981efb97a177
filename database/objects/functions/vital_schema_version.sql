-- owner: vital_definer
--
-- The schema version this database is at, for readiness. Definer, because the bookkeeping is nobody else's.
create or replace function vital.schema_version() returns bigint
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select max(m.version_id) from vital.migrations m where m.is_applied
$$;
comment on function vital.schema_version() is 'Number of the last applied migration';
grant execute on function vital.schema_version() to vital_service, service_role;
