-- owner: vital_definer
-- after: validate_schema.sql
--
-- What of multitenancy is missing: of the columns that say whose a row is, and of the columns of tools. A row for each
-- thing that is wrong, and none where all is well; issue is a status of validate_schema(). For super admins and service_role.
create or replace function public.validate_multitenancy_schema()
returns table (table_name text, column_name text, issue text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select v.table_name, v.column_name, v.status
  from public.validate_schema() v
  where v.status <> 'OK' and (v.column_name in ('tenant_id', 'organization_id') or v.table_name = 'tools')
$$;
comment on function public.validate_multitenancy_schema() is 'Columns of multitenancy that are not as they must be; for operators';
grant execute on function public.validate_multitenancy_schema() to authenticated, service_role;
