-- Keys with which servers ask for one tenant's flags, and versions of sessions, so that what is remembered of a
-- session ends with it.
-- +goose Up
-- +goose StatementBegin
alter table vital.api_keys
  add column acts_for uuid references public.organizations (id),
  add column rights text[] not null default '{}',
  add constraint api_keys_rights_known check (rights <@ array['flags']),
  add constraint api_keys_rights_are_of_a_tenant check ((acts_for is null) = (rights = '{}') and (acts_for is null or role = 'anon'));
create index idx_api_keys_acts_for on vital.api_keys (acts_for) where acts_for is not null;
comment on column vital.api_keys.acts_for is 'The one tenant it acts for; null for a key of no tenant';
comment on column vital.api_keys.rights is 'What it may do there: flags (evaluate them)';
grant select on vital.api_keys to vital_definer;

alter table public.feature_flags -- a client that keeps flags in an object would take it for that object's prototype
  add constraint feature_flags_key_safe check (flag_key <> '__proto__');

alter table vital.versions
  drop constraint versions_scope_check,
  add constraint versions_scope_check check (scope in ('tenant', 'membership', 'self', 'session', 'global'));
comment on column vital.versions.scope is 'tenant: its organization, configuration, apps, overrides; membership, self: of one user; session: ended; global: flag definitions';
comment on column vital.versions.key is 'Tenant, user or session; all zeros for global';
-- +goose StatementEnd
