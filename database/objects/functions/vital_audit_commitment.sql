-- What a chain holds of changes and reason: SHA-256 of the salt and both, each as `length:value,` (null
-- as `-,`). jsonb prints in one canonical form.
create or replace function vital.audit_commitment(p_salt bytea, p_changes jsonb, p_reason text) returns bytea
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sha256(p_salt || convert_to(
    coalesce(octet_length(convert_to(p_changes::text, 'UTF8')) || ':' || p_changes::text, '-') || ','
    || coalesce(octet_length(convert_to(p_reason, 'UTF8')) || ':' || p_reason, '-') || ',', 'UTF8'))
$$;
comment on function vital.audit_commitment(bytea, jsonb, text) is 'Commitment of an audit chain to what may be erased';
grant execute on function vital.audit_commitment(bytea, jsonb, text) to vital_definer;
