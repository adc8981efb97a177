-- owner: vital_definer
-- after: vital_require_member.sql
-- after: vital_tenant_for.sql
--
-- The tenant the caller is about to read in, as vital.tenant_for('read') has it, or as vital.require_member where p_member asks for
-- one; and whether that read is to be recorded, because the tenant is under HIPAA. A transaction that cannot write is then refused
-- before it has read anything: the server begins another that can. It is asked first in every transaction that reads for a request, in
-- the place of what it calls, so that turning HIPAA on holds from the next request on. Who asks is told of no other tenant. Definer,
-- because it must see the configuration before any policy can.
create or replace function vital.accessed_tenant(p_member boolean, out tenant_id uuid, out recorded boolean)
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_member then
    tenant_id := (vital.require_member()).tenant_id;
  else
    tenant_id := vital.tenant_for('read');
  end if;
  recorded := exists (
    select from public.tenant_configurations c
    where c.tenant_id = accessed_tenant.tenant_id and c.compliance_settings ->> 'hipaa_enabled' = 'true');
  if recorded and current_setting('transaction_read_only')::boolean then
    raise exception using errcode = 'VT301', message = 'Reads in this tenant are recorded; this transaction cannot write a record.',
      hint = 'Read in a transaction that may write.';
  end if;
end
$$;
comment on function vital.accessed_tenant(boolean) is 'The tenant the caller is about to read in, and whether that is to be recorded';
grant execute on function vital.accessed_tenant(boolean) to anon, authenticated;
