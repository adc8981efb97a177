-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- Puts what was sealed in the place of salt, changes and reason of a tenant's audit rows, and returns how many; those that are sealed or
-- erased already stay as they are. The database never has the key, so it cannot see what was sealed: it holds it to the length that
-- belongs to the row and to a key of the tenant that is not destroyed, and `vital audit verify` opens it and holds it to the row's
-- commitment. Sealing waits for whoever destroys the key, and is refused then, so that what is destroyed is all that was sealed.
-- For operators. Definer, because nobody else may touch an audit row.
create or replace function vital.seal_audit(p_organization_id uuid, p_key_id uuid, p_ids uuid[], p_sealed bytea[]) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  overhead constant integer := 1 + 12 + 16; -- version, nonce and tag: internal/envelope
  written bigint;
begin
  perform vital.require_operator();
  perform from vital.tenant_keys k
  where k.tenant_id = p_organization_id and k.key_id = p_key_id and k.destroyed_at is null
  for share;
  if not found then
    raise exception using errcode = 'VT203', message = 'The tenant has no such key, or it was destroyed.', hint = 'Run it again: it takes the key that the tenant has now.';
  end if;
  update public.organization_audit_log a
  set sealed = n.sealed, sealed_key = p_key_id, changes = null, reason = null, salt = null
  from rows from (unnest(p_ids), unnest(p_sealed)) as n (id, sealed)
  where a.organization_id = p_organization_id and a.id = n.id
    and a.sealed_key is null and a.erased_at is null and a.salt is not null and (a.changes is not null or a.reason is not null)
    and substr(n.sealed, 1, 1) = '\x01'
    and octet_length(n.sealed) = overhead + octet_length(a.salt || convert_to(
      coalesce(octet_length(convert_to(a.changes::text, 'UTF8')) || ':' || a.changes::text, '-') || ','
      || coalesce(octet_length(convert_to(a.reason, 'UTF8')) || ':' || a.reason, '-') || ',', 'UTF8'));
  get diagnostics written = row_count;
  return written;
end
$$;
comment on function vital.seal_audit(uuid, uuid, uuid[], bytea[]) is 'Puts what was sealed in the place of salt, changes and reason of audit rows';
grant execute on function vital.seal_audit(uuid, uuid, uuid[], bytea[]) to service_role;
