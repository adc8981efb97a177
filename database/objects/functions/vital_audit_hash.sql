-- The hash of one row of a chain: SHA-256 over the previous hash and the columns, each as
-- `length:value,` (null as `-,`), so that no two rows can read the same. internal/tenant computes the
-- same in Go when it verifies, and trusts nothing of this database.
create or replace function vital.audit_hash(
  p_previous_hash bytea, p_organization_id uuid, p_seq bigint, p_id uuid, p_action text, p_actor_id uuid, p_actor_role text,
  p_database_role name, p_entity text, p_entity_id uuid, p_request_id text, p_created_at timestamptz, p_commitment bytea
) returns bytea
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sha256(p_previous_hash || convert_to(string_agg(coalesce(octet_length(convert_to(v.value, 'UTF8')) || ':' || v.value, '-') || ',', '' order by v.place), 'UTF8'))
  from (values
    (1, p_organization_id::text), (2, p_seq::text), (3, p_id::text), (4, p_action), (5, p_actor_id::text), (6, p_actor_role),
    (7, p_database_role::text), (8, p_entity), (9, p_entity_id::text), (10, p_request_id),
    (11, (extract(epoch from p_created_at) * 1000000)::bigint::text), (12, encode(p_commitment, 'hex'))
  ) as v (place, value)
$$;
comment on function vital.audit_hash(bytea, uuid, bigint, uuid, text, uuid, text, name, text, uuid, text, timestamptz, bytea) is 'Hash of one row of an audit chain';
grant execute on function vital.audit_hash(bytea, uuid, bigint, uuid, text, uuid, text, name, text, uuid, text, timestamptz, bytea) to vital_definer;
