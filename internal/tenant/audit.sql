What `vital audit` asks. Verifying reads columns and calls no function of ours.

-- name: Look
set transaction isolation level repeatable read, read only;

-- name: Unfiltered
select pg_catalog.set_config('row_security', 'off', true), pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
  pg_catalog.set_config('timezone', 'UTC', true);

-- name: Rows
select a.organization_id, a.seq, a.id, a.action, a.actor_id::text, a.actor_role, a.database_role::text, a.entity, a.entity_id::text,
  a.request_id,
  -- a time no row can have been written at counts as 0, so that it is found as an edit and fails nothing
  case when a.created_at between '0001-01-01' and '9999-12-31' then (extract(epoch from a.created_at) * 1000000)::bigint else 0 end,
  a.changes::text, a.reason, a.salt, a.commitment,
  a.previous_hash, a.hash, a.erased_at is not null,
  a.sealed, a.sealed_key, k.kek_id, k.wrapped,
  c.hash, c.public_key, c.signature,
  case when c.signed_at between '0001-01-01' and '9999-12-31' then (extract(epoch from c.signed_at) * 1000000)::bigint
    when c.organization_id is not null then 0 end
from public.organization_audit_log a
left join vital.audit_checkpoints c on c.organization_id = a.organization_id and c.seq = a.seq
left join vital.tenant_keys k on k.tenant_id = a.organization_id and k.key_id = a.sealed_key
where $1::uuid is null or a.organization_id = $1
order by a.organization_id, a.seq, a.id;

-- name: Erased
select distinct a.entity_id
from public.organization_audit_log a
where a.organization_id = '00000000-0000-0000-0000-000000000001' and a.action = 'erasing' and a.entity = 'organizations' and a.entity_id is not null
  and ($1::uuid is null or a.entity_id = $1)
  and a.entity_id <> a.organization_id
  and (not exists (select from public.organizations o where o.id = a.entity_id)
    or exists (select from vital.erasures e where e.subject_id = a.entity_id and e.state = 'running'));

-- name: Heads
select coalesce(h.organization_id, l.organization_id), h.seq, h.hash, l.seq, l.id, l.hash
from (select h.* from vital.audit_heads h where $1::uuid is null or h.organization_id = $1) h
full join (
  select distinct on (a.organization_id) a.organization_id, a.seq, a.id, a.hash
  from public.organization_audit_log a
  where $1::uuid is null or a.organization_id = $1
  order by a.organization_id, a.seq desc
) l on l.organization_id = h.organization_id
order by 1;

-- name: LostCheckpoints
select c.organization_id, c.seq
from vital.audit_checkpoints c
where ($1::uuid is null or c.organization_id = $1)
  and not exists (
    select from public.organization_audit_log a where a.organization_id = c.organization_id and a.seq = c.seq)
order by c.organization_id, c.seq;

-- name: Places
select p.place, a.id, a.hash, c.hash
from rows from (
  pg_catalog.unnest($1::uuid[]), pg_catalog.unnest($2::bigint[])
) with ordinality as p (organization_id, seq, place)
left join public.organization_audit_log a on a.organization_id = p.organization_id and a.seq = p.seq
left join vital.audit_checkpoints c on c.organization_id = p.organization_id and c.seq = p.seq
order by p.place;

-- name: NeverAudited
select o.id
from public.organizations o
where ($1::uuid is null or o.id = $1)
  and o.id <> '00000000-0000-0000-0000-000000000001' -- made before anything was audited
  and not exists (select from vital.audit_heads h where h.organization_id = o.id)
  and not exists (select from public.organization_audit_log a where a.organization_id = o.id)
order by o.id;

-- name: Entries
select pg_catalog.jsonb_build_object(
  'organization_id', a.organization_id, 'tenant', o.slug, 'seq', a.seq, 'id', a.id, 'created_at', a.created_at,
  'action', a.action, 'entity', a.entity, 'entity_id', a.entity_id, 'actor_id', a.actor_id, 'actor', u.email,
  'actor_role', a.actor_role, 'database_role', a.database_role, 'changes', a.changes, 'reason', a.reason,
  'request_id', a.request_id, 'erased_at', a.erased_at, 'salt', pg_catalog.encode(a.salt, 'hex'),
  'commitment', pg_catalog.encode(a.commitment, 'hex'), 'previous_hash', pg_catalog.encode(a.previous_hash, 'hex'),
  'hash', pg_catalog.encode(a.hash, 'hex'), 'sealed_key', a.sealed_key),
  a.sealed, k.kek_id, k.wrapped
from public.organization_audit_log a
left join vital.tenant_keys k on k.tenant_id = a.organization_id and k.key_id = a.sealed_key
left join public.organizations o on o.id = a.organization_id
left join public.users u on u.id = a.actor_id
where ($1::uuid is null or a.organization_id = $1)
  and ($2 = '' or a.actor_id::text = $2 or pg_catalog.lower(u.email) = pg_catalog.lower($2) or a.database_role = $2)
  and ($3 = '' or a.action = $3)
  and ($4 = '' or a.entity = $4)
  and ($5::timestamptz is null or a.created_at >= $5)
  and ($6::timestamptz is null or a.created_at < $6)
  and ($9::uuid is null or a.entity_id = $9)
order by case when $8 then a.seq end, a.created_at desc, a.organization_id, a.seq desc
limit $7;

-- name: Slugs
select o.id, o.slug from public.organizations o where o.id = any($1::text[]::uuid[]);

-- name: MovedHeads
select m.organization_id, m.seq, m.hash, m.changed_at from vital.moved_audit_heads($1, $2) m;

-- name: AddCheckpoint
select vital.add_audit_checkpoint($1, $2, $3, $4, $5, $6);

-- name: UnsealedRows
-- A batch of the oldest rows that are due to be sealed. A tenant that is gone gets no new key.
select a.organization_id, a.id, a.changes::text, a.reason, a.salt
from public.organization_audit_log a
where a.sealed_key is null and a.erased_at is null and (a.changes is not null or a.reason is not null)
  and octet_length(a.salt) = 16 -- of another length it was tampered with, and stays for verifying to find
  and a.created_at < $1 and ($2::uuid is null or a.organization_id = $2) and a.organization_id <> all ($3::text[]::uuid[])
  and (exists (select from public.organizations o where o.id = a.organization_id)
    or exists (select from vital.tenant_keys k where k.tenant_id = a.organization_id and k.destroyed_at is null))
order by a.created_at
limit $4;

-- name: SealRows
select vital.seal_audit($1, $2, $3::text[]::uuid[], $4::bytea[]);
