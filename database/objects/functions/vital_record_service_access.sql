-- owner: vital_definer
--
-- Records a read with a service key: in each tenant under HIPAA that its filter names, or, where it names none, once
-- with the platform, since nobody knows whose rows it has shown. For service_role. Definer, because nobody writes a record by hand.
create or replace function vital.record_service_access(
  p_tenants uuid[], p_action text, p_table text, p_embedded text[], p_filter jsonb, p_rows bigint, p_error text
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.access_records (
    tenant_id, acting_role, database_login, action, table_name, embedded, filter, row_count, error_code, request_id)
  select t.id, 'service_role', session_user, p_action, p_table, p_embedded, p_filter, p_rows, p_error,
    nullif(current_setting('vital.request_id', true), '')
  from (
    select '00000000-0000-0000-0000-000000000001'::uuid as id where p_tenants is null
    union all
    select c.tenant_id from public.tenant_configurations c
    where c.tenant_id = any (p_tenants) and c.compliance_settings ->> 'hipaa_enabled' = 'true'
  ) t;
end
$$;
comment on function vital.record_service_access(uuid[], text, text, text[], jsonb, bigint, text) is 'Records a read with a service key';
grant execute on function vital.record_service_access(uuid[], text, text, text[], jsonb, bigint, text) to service_role;
