-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_append_audit.sql
--
-- Destroys every key of a tenant: what was sealed with them, audit rows and archives, can never be opened again, from backups neither.
-- The tenant need not exist any more. Each key gets an audit row, without which `vital audit verify` reports what cannot be opened.
-- Returns when the last of them was destroyed, also where that was before; null where the tenant has never had a key. For operators.
-- Definer, because nobody writes keys or the audit log by hand.
create or replace function vital.destroy_tenant_key(p_tenant_id uuid) returns timestamptz
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  destroyed uuid;
begin
  perform vital.require_operator();
  for destroyed in
    update vital.tenant_keys k set wrapped = null, destroyed_at = clock_timestamp()
    where k.tenant_id = p_tenant_id and k.destroyed_at is null
    returning k.key_id
  loop
    perform vital.append_audit(p_tenant_id, 'destroyed', 'tenant_keys', destroyed, null);
  end loop;
  return (select max(k.destroyed_at) from vital.tenant_keys k where k.tenant_id = p_tenant_id);
end
$$;
comment on function vital.destroy_tenant_key(uuid) is 'Destroys every key of a tenant, and records that';
grant execute on function vital.destroy_tenant_key(uuid) to service_role;
