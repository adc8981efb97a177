-- Schema vital: versions of what a context shows, and the key that seals a caller's identity.
-- +goose Up
-- +goose StatementBegin
create table vital.versions (
  scope text not null check (scope in ('tenant', 'membership', 'self', 'global')),
  key uuid not null,
  version bigint not null default 1,
  changed_at timestamptz not null default now(),
  primary key (scope, key)
) with (fillfactor = 70);
comment on table vital.versions is 'How often what a context is made of has changed, counted per scope; raised in the writer''s transaction.';
comment on column vital.versions.scope is 'tenant: its organization, configuration, apps, overrides; membership, self: of one user; global: flag definitions';
comment on column vital.versions.key is 'Tenant or user; all zeros for global';
comment on column vital.versions.version is 'Counts up by one with each transaction that changed something';
comment on column vital.versions.changed_at is 'When it last changed';

create unlogged table vital.pending_versions (
  xid xid8 not null,
  scope text not null,
  key uuid not null,
  primary key (xid, scope, key)
);
comment on table vital.pending_versions is 'Scopes the running transactions have touched; emptied at each commit';
comment on column vital.pending_versions.xid is 'The transaction';
comment on column vital.pending_versions.scope is 'Scope to raise when it commits';
comment on column vital.pending_versions.key is 'Key to raise when it commits';

-- Only the sealer ever reads its keys, not even the owner of everything else.
set local role vital_sealer;
create table vital.seal_keys (
  id text primary key check (id ~ '^[a-z0-9]{1,16}$'),
  inner_pad bytea not null check (octet_length(inner_pad) = 64),
  outer_pad bytea not null check (octet_length(outer_pad) = 64),
  created_at timestamptz not null default now(),
  retires_at timestamptz
);
comment on table vital.seal_keys is 'HMAC-SHA-256 keys that seal a caller''s identity, as their two padded halves.';
comment on column vital.seal_keys.id is 'Name of the key, part of every seal';
comment on column vital.seal_keys.inner_pad is 'Key xor 0x36, 64 bytes';
comment on column vital.seal_keys.outer_pad is 'Key xor 0x5c, 64 bytes';
comment on column vital.seal_keys.created_at is 'When it was made; the newest one seals';
comment on column vital.seal_keys.retires_at is 'From then on its seals are refused; null for the newest';
set local role vital_owner;

create table vital.settings (
  only_row boolean primary key default true check (only_row),
  accept_jwt_claims boolean not null default false,
  changed_at timestamptz not null default now()
);
comment on table vital.settings is 'Decisions fixed at install; no configuration parameter can change them.';
comment on column vital.settings.only_row is 'There is one row';
comment on column vital.settings.accept_jwt_claims is 'Whether request.jwt.claims is believed where the session is PostgREST''s authenticator. It is not sealed: injected SQL can then act as any user';
comment on column vital.settings.changed_at is 'When the decision was made';
insert into vital.settings default values;

create type vital.caller as (user_id uuid, tenant text, role text, session_id uuid);
comment on type vital.caller is 'A verified identity: who, which tenant they name (id, slug or empty for their default), in which role';

create type vital.membership as (tenant_id uuid, user_id uuid, role text, is_super_admin boolean, state public.org_lifecycle_state);
comment on type vital.membership is 'The caller in their current tenant';

comment on table vital.migrations is 'Applied migrations, kept by goose';
comment on column vital.migrations.id is 'Counts up';
comment on column vital.migrations.version_id is 'Number of the migration; 0 is the row goose begins with';
comment on column vital.migrations.is_applied is 'True: there is no way back';
comment on column vital.migrations.tstamp is 'When it was applied';

grant select on vital.settings to vital_sealer;
grant select, insert, update, delete on vital.versions, vital.pending_versions to vital_definer;
grant select on vital.migrations to vital_definer; -- made by goose before the first migration
-- +goose StatementEnd
