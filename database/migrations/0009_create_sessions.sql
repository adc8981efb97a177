-- Sessions of signed-in users, what is revoked before it expires, the keys that sign access tokens, and
-- API keys. What belongs to accounts goes into auth, only where that schema is ours (see 0006).
-- +goose Up
-- +goose StatementBegin
create table vital.revoked_sessions (
  session_id uuid primary key,
  revoked_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index idx_revoked_sessions_expires_at on vital.revoked_sessions (expires_at);
comment on table vital.revoked_sessions is 'Sessions and API keys that were ended while their tokens were still good; vital.identity() refuses them.';
comment on column vital.revoked_sessions.session_id is 'The token''s session_id, or the API key''s id';
comment on column vital.revoked_sessions.revoked_at is 'When it was ended';
comment on column vital.revoked_sessions.expires_at is 'When its last token has expired by itself and the row can go';
grant select on vital.revoked_sessions to vital_sealer;
grant select, insert, update, delete on vital.revoked_sessions to service_role, vital_definer;

create table vital.signing_keys (
  kid text primary key check (kid ~ '^[A-Za-z0-9_-]{1,64}$'),
  state text not null check (state in ('next', 'current', 'previous')),
  public_jwk jsonb not null check (jsonb_typeof(public_jwk) = 'object' and not public_jwk ? 'd'),
  private_key bytea not null,
  created_at timestamptz not null default now(),
  retires_at timestamptz,
  check ((state = 'previous') = (retires_at is not null))
);
create unique index signing_keys_one_of_state on vital.signing_keys (state) where state <> 'previous';
comment on table vital.signing_keys is 'ES256 keys of the embedded sign-in. All that are not retired are published, the next one ahead of its use.';
comment on column vital.signing_keys.kid is 'Key id, in the header of every token';
comment on column vital.signing_keys.state is 'next: published only; current: signs; previous: verifies until it retires';
comment on column vital.signing_keys.public_jwk is 'As published, without the private part';
comment on column vital.signing_keys.private_key is 'PKCS #8, sealed with AES-256-GCM under the key-encryption key: 12 bytes of nonce, then the ciphertext; the kid is authenticated with it';
comment on column vital.signing_keys.created_at is 'When it was made';
comment on column vital.signing_keys.retires_at is 'From then on its tokens are refused; null unless previous';
grant select, insert, update, delete on vital.signing_keys to service_role;

create table vital.api_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null check (length(name) between 1 and 100),
  role text not null check (role in ('anon', 'service_role')),
  prefix text not null,
  key_hash bytea not null unique check (octet_length(key_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
comment on table vital.api_keys is 'API keys as supabase-js takes them, by hash.';
comment on column vital.api_keys.id is 'Stands as the session of its callers, so that it is revoked like one';
comment on column vital.api_keys.name is 'What it is for';
comment on column vital.api_keys.role is 'Database role its requests run as: anon or service_role';
comment on column vital.api_keys.prefix is 'How it begins, to tell keys apart in lists';
comment on column vital.api_keys.key_hash is 'SHA-256 of the key; the key itself is kept nowhere';
comment on column vital.api_keys.created_at is 'When it was made';
comment on column vital.api_keys.expires_at is 'Refused from then on; null for never';
comment on column vital.api_keys.revoked_at is 'When it was revoked; null while it was not';
comment on column vital.api_keys.last_used_at is 'When it last came, to the minute';
grant select, insert, update, delete on vital.api_keys to service_role;

-- Sign-up asks whether an address is invited, by anybody.
create index idx_invitations_open_email on public.invitations (lower(email))
  where accepted_at is null and revoked_at is null;
-- +goose StatementEnd
-- +goose StatementBegin
do $sessions$
begin
  if exists (
    select from pg_catalog.pg_namespace n
    where n.nspname = 'auth' and n.nspowner <> 'vital_owner'::regrole
  ) then
    return;
  end if;

  create table auth.sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    method text not null default 'password' check (method in ('password', 'otp')),
    aal text not null default 'aal1',
    user_agent text,
    ip inet,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz not null default now(),
    not_after timestamptz
  );
  create index sessions_user_id_idx on auth.sessions (user_id, created_at desc);
  comment on table auth.sessions is 'Signed-in sessions. A session that was ended is deleted, and stands in vital.revoked_sessions until its last token has expired.';
  comment on column auth.sessions.method is 'How it began: with a password, or with a link that was sent (otp)';
  comment on column auth.sessions.refreshed_at is 'When it last got an access token';
  comment on column auth.sessions.not_after is 'It cannot be refreshed from then on; null for no limit';

  create table auth.refresh_tokens (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    session_id uuid not null references auth.sessions (id) on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz
  );
  create index refresh_tokens_session_id_idx on auth.refresh_tokens (session_id, used_at);
  comment on table auth.refresh_tokens is 'Refresh tokens by SHA-256. Used ones are kept, so that a second use is found.';
  comment on column auth.refresh_tokens.used_at is 'When it was exchanged for its successor; null for the one that is good';

  create table auth.one_time_tokens (
    user_id uuid not null references auth.users (id) on delete cascade,
    token_type text not null check (token_type in ('recovery', 'invite', 'signup', 'email_change')),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    email varchar(255) not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (user_id, token_type)
  );
  comment on table auth.one_time_tokens is 'Tokens of links that were sent, by SHA-256: one of a kind for each user, good once.';
  comment on column auth.one_time_tokens.email is 'Address it was sent to; for email_change the new one';

  grant select, insert, update, delete on auth.sessions, auth.refresh_tokens, auth.one_time_tokens to service_role;
end
$sessions$;
-- +goose StatementEnd
