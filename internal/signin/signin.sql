What sign-in asks of the database, as service_role.

-- name: AccountsOurs
select n.nspowner = 'vital_owner'::pg_catalog.regrole from pg_catalog.pg_namespace n where n.nspname = 'auth';

-- name: UserByEmail
select u.id, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at, u.recovery_sent_at, u.last_sign_in_at,
  u.raw_app_meta_data, u.raw_user_meta_data, u.banned_until, u.created_at, u.updated_at
from auth.users u
where pg_catalog.lower(u.email) = $1;

-- name: UserByID
select u.id, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at, u.recovery_sent_at, u.last_sign_in_at,
  u.raw_app_meta_data, u.raw_user_meta_data, u.banned_until, u.created_at, u.updated_at
from auth.users u
where u.id = $1;

-- name: UserBySession
select u.id, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at, u.recovery_sent_at, u.last_sign_in_at,
  u.raw_app_meta_data, u.raw_user_meta_data, u.banned_until, u.created_at, u.updated_at
from auth.sessions s
join auth.users u on u.id = s.user_id
where s.id = $1 and s.user_id = $2 and (s.not_after is null or s.not_after > pg_catalog.now());

-- name: UserList
select u.id, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at, u.recovery_sent_at, u.last_sign_in_at,
  u.raw_app_meta_data, u.raw_user_meta_data, u.banned_until, u.created_at, u.updated_at
from auth.users u
order by u.created_at desc, u.id
limit $1 offset $2;

-- name: UserCount
select pg_catalog.count(*) from auth.users;

-- name: UserCreate
insert into auth.users (id, email, encrypted_password, email_confirmed_at, invited_at, raw_app_meta_data, raw_user_meta_data)
values (coalesce($1::uuid, pg_catalog.gen_random_uuid()), $2, $3,
  case when $4::boolean then pg_catalog.now() end, case when $5::boolean then pg_catalog.now() end, $6::jsonb, $7::jsonb)
on conflict do nothing
returning id;

-- name: UserSetPassword
update auth.users set encrypted_password = $2, updated_at = pg_catalog.now() where id = $1;

-- name: UserRehash
-- Only if nobody has set another one meanwhile.
update auth.users set encrypted_password = $3 where id = $1 and encrypted_password = $2;

-- name: UserSetEmail
update auth.users set email = $2, email_confirmed_at = case when $3::boolean then pg_catalog.now() end, updated_at = pg_catalog.now()
where id = $1;

-- name: UserConfirm
update auth.users set email_confirmed_at = coalesce(email_confirmed_at, pg_catalog.now()), updated_at = pg_catalog.now() where id = $1;

-- name: UserSetUserData
update auth.users set raw_user_meta_data = $2::jsonb, updated_at = pg_catalog.now() where id = $1;

-- name: UserSetAppData
update auth.users set raw_app_meta_data = $2::jsonb, updated_at = pg_catalog.now() where id = $1;

-- name: UserBan
update auth.users set banned_until = case when $2::interval > interval '0' then pg_catalog.now() + $2::interval end, updated_at = pg_catalog.now()
where id = $1;

-- name: UserDisable
update auth.users set encrypted_password = null, banned_until = 'infinity', updated_at = pg_catalog.now() where id = $1;

-- name: UserDelete
delete from auth.users where id = $1;

-- name: UserLock
-- Changes of one account wait for each other.
select u.id from auth.users u where u.id = $1 for update;

-- name: UserSignedIn
update auth.users set last_sign_in_at = pg_catalog.now() where id = $1;

-- name: UserRecoverySent
update auth.users set recovery_sent_at = pg_catalog.now() where id = $1;

-- name: ProductUserCreate
insert into public.users (id, email) values ($1, $2) on conflict (id) do nothing;

-- name: ProfileCreate
insert into public.profiles (id, email, full_name) values ($1, $2, $3) on conflict (id) do nothing;

-- name: ProductUserSetEmail
update public.users set email = $2 where id = $1;

-- name: ProfileSetEmail
update public.profiles set email = $2 where id = $1;

-- name: ProductUserDelete
delete from public.users where id = $1;

-- name: InvitationOpen
select exists (
  select from public.invitations i
  where pg_catalog.lower(i.email) = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > pg_catalog.now()
);

-- name: InvitationMatches
select exists (
  select from public.invitations i
  where i.token_hash = pg_catalog.sha256(pg_catalog.convert_to($2, 'UTF8')) and pg_catalog.lower(i.email) = $1
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > pg_catalog.now()
);

-- name: InvitationAccept
select (m).tenant_id from vital.accept_invitation($1, $2) m;

-- name: AddressKnown
select exists (select from auth.sessions s where s.user_id = $1 and s.ip = $2::inet);

-- name: SessionCreate
insert into auth.sessions (user_id, method, user_agent, ip)
values ($1, $2, $3, nullif($4, '')::inet)
returning id, created_at;

-- name: SessionLock
select s.id, s.user_id, s.method, s.created_at, s.not_after is not null and s.not_after <= pg_catalog.now() as expired
from auth.sessions s
where s.id = (select t.session_id from auth.refresh_tokens t where t.token_hash = $1)
for update;

-- name: SessionRefreshed
update auth.sessions set refreshed_at = pg_catalog.now(), user_agent = $2, ip = nullif($3, '')::inet where id = $1;

-- name: SessionsEnd
-- Ends sessions of $1: the one $2, or all but $3. Their tokens are refused until the last has expired.
with gone as (
  delete from auth.sessions s
  where s.user_id = $1 and ($2::uuid is null or s.id = $2) and ($3::uuid is null or s.id <> $3)
  returning s.id
)
insert into vital.revoked_sessions (session_id, expires_at)
select g.id, pg_catalog.now() + $4::interval from gone g
on conflict (session_id) do nothing;

-- name: RevokedPrune
delete from vital.revoked_sessions where expires_at < pg_catalog.now();

-- name: RefreshTokenAdd
insert into auth.refresh_tokens (token_hash, session_id) values ($1, $2);

-- name: RefreshTokenState
select t.used_at is not null as used, t.used_at is not null and t.used_at < pg_catalog.clock_timestamp() - $2::interval as stale
from auth.refresh_tokens t
where t.token_hash = $1;

-- name: RefreshTokenUse
update auth.refresh_tokens set used_at = pg_catalog.clock_timestamp() where token_hash = $1;

-- name: RefreshTokensPrune
delete from auth.refresh_tokens where session_id = $1 and used_at < pg_catalog.now() - interval '30 days';

-- name: OneTimeTokenAdd
insert into auth.one_time_tokens (user_id, token_type, token_hash, email, expires_at)
values ($1, $2, $3, $4, pg_catalog.now() + $5::interval)
on conflict (user_id, token_type) do update
set token_hash = excluded.token_hash, email = excluded.email, created_at = pg_catalog.now(), expires_at = excluded.expires_at;

-- name: OneTimeTokenUser
select t.user_id from auth.one_time_tokens t where t.token_hash = $1;

-- name: OneTimeTokenTake
delete from auth.one_time_tokens t
where t.token_hash = $1 and t.token_type = any ($2::text[]) and ($3 = '' or pg_catalog.lower(t.email) = $3)
returning t.user_id, t.token_type, t.email, t.expires_at > pg_catalog.now() as good;

-- name: OneTimeTokensDrop
delete from auth.one_time_tokens where user_id = $1 and token_type = any ($2::text[]);

-- name: SigningKeysLock
-- Of those who make or rotate keys, one at a time; readers go on.
lock table vital.signing_keys in share row exclusive mode;

-- name: SigningKeyPublished
select k.public_jwk from vital.signing_keys k
where k.retires_at is null or k.retires_at > pg_catalog.now()
order by k.created_at desc;

-- name: SigningKeyCurrent
select k.kid, k.private_key from vital.signing_keys k where k.state = 'current';

-- name: SigningKeyNext
select k.kid, k.private_key from vital.signing_keys k where k.state = 'next';

-- name: SigningKeyAdd
insert into vital.signing_keys (kid, state, public_jwk, private_key) values ($1, $2, $3::jsonb, $4);

-- name: SigningKeyRetireCurrent
update vital.signing_keys set state = 'previous', retires_at = pg_catalog.now() + $1::interval where state = 'current';

-- name: SigningKeyPromote
update vital.signing_keys set state = 'current' where state = 'next';

-- name: SigningKeyDropNext
delete from vital.signing_keys where state = 'next';

-- name: SigningKeyPrune
delete from vital.signing_keys where retires_at < pg_catalog.now() - interval '1 day';

-- name: APIKeyUse
-- The key, if it is good; when it came is noted to the minute.
with key as (
  select k.id, k.role, k.expires_at, k.last_used_at, k.acts_for, k.rights
  from vital.api_keys k
  where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > pg_catalog.now())
), noted as (
  update vital.api_keys k set last_used_at = pg_catalog.now()
  from key
  where k.id = key.id and (key.last_used_at is null or key.last_used_at < pg_catalog.now() - interval '1 minute')
)
select key.id, key.role, key.expires_at, key.acts_for, key.rights from key;

-- name: APIKeyState
select k.revoked_at is not null or k.expires_at is not null and k.expires_at <= pg_catalog.now() as ended
from vital.api_keys k where k.key_hash = $1;

-- name: APIKeyCreate
insert into vital.api_keys as k (name, role, prefix, key_hash, expires_at, acts_for, rights)
values ($1, $2, $3, $4, pg_catalog.now() + $5::interval, $6::uuid, $7::text[])
on conflict (key_hash) do nothing
returning k.id, k.name, k.role, k.prefix, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
  (select o.slug from public.organizations o where o.id = k.acts_for), k.rights;

-- name: APIKeyList
select k.id, k.name, k.role, k.prefix, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, o.slug, k.rights
from vital.api_keys k
left join public.organizations o on o.id = k.acts_for
order by k.created_at desc, k.id;

-- name: APIKeyRotate
-- The old key goes on for a while, and no longer than it would have.
update vital.api_keys k set expires_at = least(k.expires_at, pg_catalog.now() + greatest($2::interval, interval '1 second'))
where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > pg_catalog.now())
returning k.name, k.role, k.acts_for, k.rights;

-- name: APIKeyRevoke
with revoked as (
  update vital.api_keys k set revoked_at = pg_catalog.now()
  where k.id = $1 and k.revoked_at is null
  returning k.id, k.expires_at
), noted as (
  insert into vital.revoked_sessions (session_id, expires_at)
  select r.id, coalesce(r.expires_at, 'infinity') + interval '1 minute' from revoked r
  on conflict (session_id) do nothing
)
select r.id from revoked r;
