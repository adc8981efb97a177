-- owner: vital_definer
-- after: vital_audit_hash.sql
-- after: vital_audit_commitment.sql
--
-- At commit, chains the transaction's audit rows and writes
-- them, tenant by tenant in one order, so that two writers never wait for each other in a circle and a
-- chain's head is held no longer than the commit itself. A head is read and written once for each tenant:
-- a row updated n times in one transaction is read through all its n versions each time.
create or replace function vital.settle_audit() returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  entry record;
  chain uuid;
  last_seq bigint;
  last_hash bytea;
  row_id uuid;
  row_salt bytea;
  row_commitment bytea;
  row_hash bytea;
begin
  for entry in
    with mine as (delete from vital.pending_audit p where p.xid = pg_current_xact_id() returning p.*)
    select m.* from mine m order by m.organization_id, m.ordinal
  loop
    if chain is distinct from entry.organization_id then
      update vital.audit_heads h set seq = last_seq, hash = last_hash, changed_at = clock_timestamp()
      where h.organization_id = chain;
      chain := entry.organization_id;
      insert into vital.audit_heads as h (organization_id, seq, hash)
      values (chain, 0, decode(repeat('00', 32), 'hex'))
      on conflict (organization_id) do update set changed_at = h.changed_at
      returning h.seq, h.hash into last_seq, last_hash;
    end if;
    row_id := gen_random_uuid();
    row_salt := uuid_send(gen_random_uuid());
    row_commitment := vital.audit_commitment(row_salt, entry.changes, entry.reason);
    row_hash := vital.audit_hash(last_hash, chain, last_seq + 1, row_id, entry.action, entry.actor_id,
      entry.actor_role, entry.database_role, entry.entity, entry.entity_id, entry.request_id, entry.created_at, row_commitment);
    insert into public.organization_audit_log (
      organization_id, id, seq, action, actor_id, actor_role, database_role, entity, entity_id, changes, reason, request_id,
      created_at, salt, commitment, previous_hash, hash)
    values (
      chain, row_id, last_seq + 1, entry.action, entry.actor_id, entry.actor_role, entry.database_role,
      entry.entity, entry.entity_id, entry.changes, entry.reason, entry.request_id, entry.created_at, row_salt,
      row_commitment, last_hash, row_hash);
    last_seq := last_seq + 1;
    last_hash := row_hash;
  end loop;
  update vital.audit_heads h set seq = last_seq, hash = last_hash, changed_at = clock_timestamp()
  where h.organization_id = chain;
end
$$;
comment on function vital.settle_audit() is 'Chains and writes the audit rows of a transaction, at its commit';
