-- A key for each tenant, wrapped with a key-encryption key that the database never has. What is personal in older audit rows, and in
-- archives, is readable with it alone: a key that is destroyed takes all of it along, from backups too.
-- +goose Up
-- +goose StatementBegin
create table vital.tenant_keys (
  tenant_id uuid not null, -- references nothing: it outlives its tenant
  key_id uuid not null,
  kek_id text not null check (kek_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  wrapped bytea check (octet_length(wrapped) between 32 and 256),
  created_at timestamptz not null default now(),
  wrapped_at timestamptz not null default clock_timestamp(),
  destroyed_at timestamptz,
  primary key (tenant_id, key_id),
  constraint tenant_keys_destroyed check ((wrapped is null) = (destroyed_at is not null))
);
create unique index tenant_keys_live on vital.tenant_keys (tenant_id) where destroyed_at is null;
create index idx_tenant_keys_kek on vital.tenant_keys (kek_id, tenant_id) where destroyed_at is null;
comment on table vital.tenant_keys is 'Keys of tenants, wrapped with a key-encryption key; a tenant has one that is not destroyed at most.';
comment on column vital.tenant_keys.tenant_id is 'The tenant, also after it is gone';
comment on column vital.tenant_keys.key_id is 'The key';
comment on column vital.tenant_keys.kek_id is 'Key-encryption key it is wrapped with, by its name in the keyring';
comment on column vital.tenant_keys.wrapped is 'The key, sealed with AES-256-GCM; null once destroyed';
comment on column vital.tenant_keys.created_at is 'When it was made';
comment on column vital.tenant_keys.wrapped_at is 'When it was wrapped as it is: of two copies of a key the newer counts';
comment on column vital.tenant_keys.destroyed_at is 'When it was destroyed, and with it all that was sealed with it';

create table vital.retired_keks (
  kek_id text primary key check (kek_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  retired_at timestamptz not null default now()
);
comment on table vital.retired_keks is 'Key-encryption keys that were thrown away: no key may be wrapped with one again.';
comment on column vital.retired_keks.kek_id is 'Its name in the keyring';
comment on column vital.retired_keks.retired_at is 'When nothing was wrapped with it any more';

alter table public.organization_audit_log
  add column sealed bytea,
  add column sealed_key uuid;
comment on column public.organization_audit_log.salt is 'Random, so that a commitment tells nothing; null once sealed or erased';
comment on column public.organization_audit_log.sealed is 'Salt, changes and reason, sealed with the tenant''s key after a while; they are null from then on';
comment on column public.organization_audit_log.sealed_key is 'Key it was sealed with; once that is destroyed, they are erased';
create index idx_organization_audit_log_unsealed on public.organization_audit_log (created_at, organization_id)
  where sealed_key is null and erased_at is null and (changes is not null or reason is not null);

grant select, insert, update on vital.tenant_keys to vital_definer;
grant select, insert on vital.retired_keks to vital_definer;
grant select on vital.tenant_keys, vital.retired_keks to service_role;
-- +goose StatementEnd
