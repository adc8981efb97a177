-- Erasing tenants and users for good: what was asked for, who agreed, how far it is, what came of it; and legal holds, which stand in its way.
-- +goose Up
-- +goose StatementBegin
alter table vital.settings
  add column erasure_wait interval not null default '30 days' check (erasure_wait >= '0'),
  add column user_erasure_wait interval not null default '3 days' check (user_erasure_wait >= '0');
comment on column vital.settings.erasure_wait is 'How long a tenant must have been archived before it may be erased';
comment on column vital.settings.user_erasure_wait is 'How long after it was asked for a user may be erased';
grant select, update (erasure_wait, user_erasure_wait) on vital.settings to vital_definer;

create table vital.erasures (
  id uuid primary key default gen_random_uuid(),
  subject text not null check (subject in ('tenant', 'user')),
  subject_id uuid not null,
  reason text not null check (btrim(reason) <> '' and length(reason) <= 1000),
  state text not null default 'requested' check (state in ('requested', 'approved', 'running', 'finished', 'cancelled')),
  requested_by text not null,
  requested_at timestamptz not null default now(),
  not_before timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  cancelled_by text,
  cancelled_at timestamptz,
  people uuid[] not null default '{}',
  addresses text[],
  chain_seq bigint,
  chain_hash bytea,
  erased jsonb not null default '{}' check (jsonb_typeof(erased) = 'object'),
  key_destroyed_at timestamptz,
  certificate text,
  signature bytea check (octet_length(signature) = 64),
  check ((approved_by is null) = (approved_at is null)),
  constraint erasures_take_two check (approved_by <> requested_by),
  check (state not in ('approved', 'running', 'finished') or approved_at is not null),
  check (state not in ('running', 'finished') or started_at is not null),
  check ((state = 'finished') = (finished_at is not null)),
  check ((state = 'finished') = (certificate is not null)),
  check ((state = 'cancelled') = (cancelled_at is not null)),
  constraint erasures_forget_addresses check (state = 'running' or addresses is null)
);
create unique index erasures_one_open on vital.erasures (subject, subject_id) where state in ('requested', 'approved', 'running');
create index idx_erasures_subject on vital.erasures (subject_id);
comment on table vital.erasures is 'Erasures of tenants and users: asked for by one operator, approved by another, and what came of them. Operators alone.';
comment on column vital.erasures.id is 'The erasure';
comment on column vital.erasures.subject is 'tenant or user';
comment on column vital.erasures.subject_id is 'The tenant or user; kept when everything else of it is gone, as proof';
comment on column vital.erasures.reason is 'Why, without the address of whoever it is about';
comment on column vital.erasures.state is 'requested, approved, running (also after it was broken off), finished or cancelled';
comment on column vital.erasures.requested_by is 'Who asked for it: user:ID, or login:NAME of an operator''s own session';
comment on column vital.erasures.requested_at is 'When it was asked for';
comment on column vital.erasures.not_before is 'It may not begin before then';
comment on column vital.erasures.approved_by is 'Who agreed, never the one who asked for it; named likewise';
comment on column vital.erasures.approved_at is 'When they agreed';
comment on column vital.erasures.started_at is 'When it began: there is no way back from then on';
comment on column vital.erasures.finished_at is 'When everything was gone and looked for';
comment on column vital.erasures.cancelled_by is 'Who called it off';
comment on column vital.erasures.cancelled_at is 'When it was called off';
comment on column vital.erasures.people is 'Users who are erased: the user, or those who were members of the tenant and of no other. Ids of nobody once it is finished';
comment on column vital.erasures.addresses is 'Addresses that are looked for, while it runs and no longer';
comment on column vital.erasures.chain_seq is 'Where the tenant''s audit chain ended when it began';
comment on column vital.erasures.chain_hash is 'Hash of that row';
comment on column vital.erasures.erased is 'Rows that were erased so far, by table';
comment on column vital.erasures.key_destroyed_at is 'When the tenant''s key was destroyed, where it had one';
comment on column vital.erasures.certificate is 'What was erased, looked for and found: the text that is signed';
comment on column vital.erasures.signature is 'Ed25519 over the certificate; null where there was no key';
grant select, insert, update on vital.erasures to vital_definer;
grant select on vital.erasures to service_role;

create table vital.legal_holds (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  reason text not null check (btrim(reason) <> ''),
  placed_by text not null,
  placed_at timestamptz not null default now(),
  released_by text,
  released_at timestamptz,
  primary key (tenant_id, id),
  check ((released_by is null) = (released_at is null))
);
create unique index legal_holds_one_open on vital.legal_holds (tenant_id) where released_at is null;
comment on table vital.legal_holds is 'Tenants whose data must be kept for now: nothing of them is erased, or dropped for its age.';
comment on column vital.legal_holds.tenant_id is 'The tenant';
comment on column vital.legal_holds.id is 'The hold';
comment on column vital.legal_holds.reason is 'Why it must be kept';
comment on column vital.legal_holds.placed_by is 'Who said so: user:ID, or login:NAME of an operator''s own session';
comment on column vital.legal_holds.placed_at is 'Since when';
comment on column vital.legal_holds.released_by is 'Who lifted it; null while it stands';
comment on column vital.legal_holds.released_at is 'When it was lifted; null while it stands';
grant select, insert, update on vital.legal_holds to vital_definer;
grant select on vital.legal_holds to service_role;
-- +goose StatementEnd
