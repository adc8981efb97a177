Keys of tenants, wrapped. What is written goes through functions, which record it.

-- name: LiveKey
select k.tenant_id, k.key_id, k.kek_id, k.wrapped, k.destroyed_at from vital.tenant_keys k where k.tenant_id = $1 and k.destroyed_at is null;

-- name: OneKey
select k.tenant_id, k.key_id, k.kek_id, k.wrapped, k.destroyed_at from vital.tenant_keys k where k.tenant_id = $1 and k.key_id = $2;

-- name: AddKey
select vital.add_tenant_key($1, $2, $3, $4);

-- name: DestroyKeys
select vital.destroy_tenant_key($1);

-- name: KeysToRewrap
-- A batch of those that are wrapped with another key-encryption key than the current one, behind the last that was looked at.
select k.tenant_id, k.key_id, k.kek_id, k.wrapped, k.destroyed_at from vital.tenant_keys k
where k.destroyed_at is null and k.kek_id <> $1 and k.tenant_id > $2
order by k.tenant_id limit $3;

-- name: RewrapKeys
select vital.rewrap_tenant_keys($1::text[]::uuid[], $2::text[]::uuid[], $3::text[], $4, $5::bytea[]);

-- name: CountKeys
-- What each key-encryption key wraps, and how many that were destroyed it has wrapped last.
select k.kek_id, count(*) filter (where k.destroyed_at is null), count(*) filter (where k.destroyed_at is not null)
from vital.tenant_keys k group by k.kek_id order by k.kek_id;

-- name: RetiredKEKs
select r.kek_id, r.retired_at from vital.retired_keks r order by r.retired_at;

-- name: RetireKEK
select vital.retire_kek($1);

-- name: ExportKeys
select pg_catalog.to_jsonb(k)::text from vital.tenant_keys k order by k.tenant_id, k.created_at, k.key_id;

-- name: ExportRetired
select pg_catalog.to_jsonb(r)::text from vital.retired_keks r order by r.kek_id;

-- name: CarryKeys
select c.destroyed, c.rewrapped, c.added, c.left_out from vital.carry_tenant_keys($1::text::jsonb) c;

-- name: CarryRetired
select vital.carry_retired_keks($1::text::jsonb);

-- name: HaveKeys
select pg_catalog.to_regclass('vital.tenant_keys') is not null;
