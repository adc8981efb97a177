-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Erases what one audit row may hold of a person: changes, reason and salt, sealed or not. The row stays in its chain
-- by its commitment, is marked, and the erasure gets a row of its own; without that row
-- `vital audit verify` reports it. Definer, because nobody else may touch an audit row.
create or replace function vital.erase_audit(p_organization_id uuid, p_id uuid) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.organization_audit_log a
  set changes = null, reason = null, salt = null, sealed = null, sealed_key = null, erased_at = transaction_timestamp()
  where a.organization_id = p_organization_id and a.id = p_id and a.erased_at is null;
  if not found then
    return false;
  end if;
  perform vital.append_audit(p_organization_id, 'erased', 'organization_audit_log', p_id, null);
  return true;
end
$$;
comment on function vital.erase_audit(uuid, uuid) is 'Erases changes and reason of one audit row, and records that';
grant execute on function vital.erase_audit(uuid, uuid) to service_role;
