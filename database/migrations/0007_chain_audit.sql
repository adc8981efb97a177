-- The audit log becomes a hash chain for each tenant, so that tampering is found. What may hold
-- personal data (changes, reason) is in the chain only by a salted commitment: an edit is found, and
-- erasing it later does not break the chain.
-- +goose Up
-- +goose StatementBegin
drop function if exists vital.raise_versions() cascade; -- now vital.settle_versions

alter table public.organization_audit_log
  add column seq bigint not null,
  add column commitment bytea not null,
  add column salt bytea,
  add column previous_hash bytea not null,
  add column hash bytea not null,
  add column erased_at timestamptz,
  add constraint organization_audit_log_seq_key unique (organization_id, seq),
  add constraint organization_audit_log_seq_positive check (seq > 0);
comment on column public.organization_audit_log.seq is 'Place in the tenant''s chain, counting from 1 without a gap';
comment on column public.organization_audit_log.commitment is 'SHA-256 of salt, changes and reason: what the chain holds of them';
comment on column public.organization_audit_log.salt is 'Random, so that a commitment tells nothing; null once erased';
comment on column public.organization_audit_log.previous_hash is 'Hash of the row before; 32 zero bytes for the first';
comment on column public.organization_audit_log.hash is 'SHA-256 over the previous hash and every other column but changes, reason, salt and erased_at';
comment on column public.organization_audit_log.erased_at is 'When changes and reason were erased; itself recorded as an action';

create table vital.audit_heads (
  organization_id uuid primary key,
  seq bigint not null,
  hash bytea not null,
  changed_at timestamptz not null default now()
) with (fillfactor = 70);
create index idx_audit_heads_changed_at on vital.audit_heads (changed_at);
comment on table vital.audit_heads is 'Where each tenant''s audit chain ends.';
comment on column vital.audit_heads.organization_id is 'The tenant';
comment on column vital.audit_heads.seq is 'Place of its last row';
comment on column vital.audit_heads.hash is 'Hash of its last row';
comment on column vital.audit_heads.changed_at is 'When it last grew';

create table vital.audit_checkpoints (
  organization_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  signed_at timestamptz not null,
  public_key bytea not null check (octet_length(public_key) = 32),
  signature bytea not null check (octet_length(signature) = 64),
  primary key (organization_id, seq)
);
comment on table vital.audit_checkpoints is 'Ends of chains, signed by the server with a key the database never has.';
comment on column vital.audit_checkpoints.organization_id is 'The tenant';
comment on column vital.audit_checkpoints.seq is 'Place in the chain';
comment on column vital.audit_checkpoints.hash is 'Hash of that row';
comment on column vital.audit_checkpoints.signed_at is 'When it was signed';
comment on column vital.audit_checkpoints.public_key is 'Ed25519 public key, 32 bytes';
comment on column vital.audit_checkpoints.signature is 'Ed25519 signature over tenant, place, hash and time';

create unlogged table vital.pending_audit (
  xid xid8 not null,
  ordinal bigint generated always as identity,
  organization_id uuid not null,
  action text not null,
  actor_id uuid,
  actor_role text,
  database_role name not null,
  entity text,
  entity_id uuid,
  changes jsonb,
  reason text,
  request_id text,
  created_at timestamptz not null,
  primary key (xid, ordinal)
);
comment on table vital.pending_audit is 'Audit rows of running transactions; chained and emptied at each commit';
comment on column vital.pending_audit.xid is 'The transaction';
comment on column vital.pending_audit.ordinal is 'Order within it';
comment on column vital.pending_audit.organization_id is 'The tenant whose chain it goes to';
comment on column vital.pending_audit.action is 'As in organization_audit_log';
comment on column vital.pending_audit.actor_id is 'As in organization_audit_log';
comment on column vital.pending_audit.actor_role is 'As in organization_audit_log';
comment on column vital.pending_audit.database_role is 'As in organization_audit_log';
comment on column vital.pending_audit.entity is 'As in organization_audit_log';
comment on column vital.pending_audit.entity_id is 'As in organization_audit_log';
comment on column vital.pending_audit.changes is 'As in organization_audit_log';
comment on column vital.pending_audit.reason is 'As in organization_audit_log';
comment on column vital.pending_audit.request_id is 'As in organization_audit_log';
comment on column vital.pending_audit.created_at is 'When the change was made';

create table vital.idempotency_keys (
  caller uuid not null,
  key text not null check (length(key) between 1 and 255),
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  status integer,
  headers jsonb,
  body bytea,
  created_at timestamptz not null default now(),
  primary key (caller, key)
);
create index idx_idempotency_keys_created_at on vital.idempotency_keys (created_at);
comment on table vital.idempotency_keys is 'Answers to writes that carried an Idempotency-Key, kept for a day; written in the write''s own transaction.';
comment on column vital.idempotency_keys.caller is 'User who sent it; keys of different users never meet';
comment on column vital.idempotency_keys.key is 'The header''s value';
comment on column vital.idempotency_keys.fingerprint is 'SHA-256 of method, path and body: another request under the same key is refused';
comment on column vital.idempotency_keys.status is 'HTTP status that was answered';
comment on column vital.idempotency_keys.headers is 'Headers that were answered and belong to the result';
comment on column vital.idempotency_keys.body is 'Body that was answered';
comment on column vital.idempotency_keys.created_at is 'When it was first seen';

grant select, insert, update, delete on vital.audit_heads, vital.pending_audit, vital.idempotency_keys to vital_definer;
grant select, insert on vital.audit_checkpoints to vital_definer;
-- +goose StatementEnd
