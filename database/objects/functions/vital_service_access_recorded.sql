-- owner: vital_definer
--
-- Whether a read with a service key is to be recorded: one that names a tenant under HIPAA by its filter (p_tenants), or names none
-- while there are such tenants, whose rows it may then show. A transaction that cannot write is refused before it has read anything.
-- For service_role. Definer, as vital.accessed_tenant is, and in its place.
create or replace function vital.service_access_recorded(p_tenants uuid[]) returns boolean
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from public.tenant_configurations c
    where c.compliance_settings ->> 'hipaa_enabled' = 'true' and (p_tenants is null or c.tenant_id = any (p_tenants))
  ) then
    return false;
  end if;
  if current_setting('transaction_read_only')::boolean then
    raise exception using errcode = 'VT301', message = 'Reads in this tenant are recorded; this transaction cannot write a record.',
      hint = 'Read in a transaction that may write.';
  end if;
  return true;
end
$$;
comment on function vital.service_access_recorded(uuid[]) is 'Whether a read with a service key is to be recorded';
grant execute on function vital.service_access_recorded(uuid[]) to service_role;
