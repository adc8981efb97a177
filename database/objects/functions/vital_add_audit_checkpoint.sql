-- owner: vital_definer
--
-- Keeps a signed end of an audit chain; false when another server was faster. Nothing is checked here:
-- a signature counts only for whoever knows the key. Definer, because checkpoints are only ever added.
create or replace function vital.add_audit_checkpoint(
  p_organization_id uuid, p_seq bigint, p_hash bytea, p_signed_at timestamptz, p_public_key bytea, p_signature bytea
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into vital.audit_checkpoints (organization_id, seq, hash, signed_at, public_key, signature)
  values (p_organization_id, p_seq, p_hash, p_signed_at, p_public_key, p_signature)
  on conflict do nothing;
  return found;
end
$$;
comment on function vital.add_audit_checkpoint(uuid, bigint, bytea, timestamptz, bytea, bytea) is 'Keeps a signed end of an audit chain';
grant execute on function vital.add_audit_checkpoint(uuid, bigint, bytea, timestamptz, bytea, bytea) to service_role;
