What is one person's: $1 is their id. Each query gives a line of JSON a row. No password, token or hash of one is in any, nor what other people wrote or are.

-- name: Person
select u.id, u.email::text, pg_catalog.current_setting('server_version'), (select max(m.version_id) from vital.migrations m where m.is_applied), pg_catalog.clock_timestamp()
from public.users u
where u.id = $1;

-- name: auth.users
-- Of the account what is known to be no secret: which columns there are is the sign-in's business.
select pg_catalog.jsonb_object_agg(e.key, case e.key when 'raw_user_meta_data' then e.value - 'invitation_token' else e.value end)::text
from auth.users u
cross join lateral pg_catalog.jsonb_each(pg_catalog.to_jsonb(u)) e
where u.id = $1 and e.key in ('id', 'email', 'phone', 'email_confirmed_at', 'phone_confirmed_at', 'invited_at', 'last_sign_in_at', 'raw_user_meta_data', 'banned_until', 'created_at', 'updated_at')
group by u.id;

-- name: auth.sessions
select pg_catalog.jsonb_object_agg(e.key, e.value)::text
from auth.sessions s
cross join lateral pg_catalog.jsonb_each(pg_catalog.to_jsonb(s)) e
where s.user_id = $1 and e.key in ('id', 'created_at', 'refreshed_at', 'updated_at', 'not_after', 'user_agent', 'ip', 'method', 'aal')
group by s.id
order by s.id;

-- name: public.users
select pg_catalog.to_jsonb(u)::text from public.users u where u.id = $1;

-- name: public.profiles
select pg_catalog.to_jsonb(p)::text from public.profiles p where p.id = $1;

-- name: public.user_tenants
select pg_catalog.jsonb_build_object('tenant_id', m.tenant_id, 'tenant', o.name, 'slug', o.slug, 'role', m.role, 'status', m.status, 'joined_at', m.joined_at, 'created_at', m.created_at)::text
from public.user_tenants m
join public.organizations o on o.id = m.tenant_id
where m.user_id = $1
order by m.tenant_id;

-- name: public.invitations
select pg_catalog.jsonb_build_object('tenant_id', i.tenant_id, 'tenant', o.name, 'email', i.email, 'role', i.role, 'created_at', i.created_at, 'expires_at', i.expires_at,
  'accepted_at', i.accepted_at, 'revoked_at', i.revoked_at)::text
from public.users u
join public.invitations i on pg_catalog.lower(i.email) = pg_catalog.lower(u.email) or i.accepted_by = u.id
join public.organizations o on o.id = i.tenant_id
where u.id = $1
order by i.tenant_id, i.id;

-- name: public.organization_audit_log
-- What they did, where and when; not what it did to whom.
select pg_catalog.jsonb_build_object('tenant_id', a.organization_id, 'tenant', o.name, 'at', a.created_at, 'action', a.action, 'entity', a.entity)::text
from public.organization_audit_log a
left join public.organizations o on o.id = a.organization_id
where a.actor_id = $1
order by a.created_at, a.organization_id, a.seq;

-- name: public.query_performance
-- When they were served what.
select pg_catalog.jsonb_build_object('tenant_id', q.tenant_id, 'at', q.created_at, 'query', q.query_name, 'success', q.success)::text
from public.query_performance q
where q.user_id = $1
order by q.created_at, q.id;

-- name: Referring
-- Columns of tables that reference a user, by their tables; accounts and memberships are told of above.
select n.nspname::text, c.relname::text, pg_catalog.array_agg(distinct a.attname::text), pg_catalog.has_table_privilege('authenticated', c.oid, 'select')
from pg_catalog.pg_constraint f
join pg_catalog.pg_class c on c.oid = f.conrelid and not c.relispartition
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname not in ('vital', 'auth')
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = f.conkey[1]
where f.contype = 'f' and pg_catalog.cardinality(f.conkey) = 1
  and f.confrelid in (pg_catalog.to_regclass('public.users'), pg_catalog.to_regclass('auth.users'))
  and c.oid not in ('public.users'::pg_catalog.regclass, 'public.profiles'::pg_catalog.regclass, 'public.user_tenants'::pg_catalog.regclass)
group by n.nspname, c.relname, c.oid
order by n.nspname, c.relname;

-- name: References
-- That a row names them, and as what; not what else it says.
select pg_catalog.jsonb_build_object('table', $2::text, 'tenant_id', t.{tenant_column}, 'columns', pg_catalog.to_jsonb(pg_catalog.array_remove(array[{named}], null)), 'key', pg_catalog.jsonb_build_object({key}))::text
from {table} t
where {theirs}
order by {order};

-- name: Contents
-- The rows of one tenant that name them, as they themselves may see them there.
select pg_catalog.to_jsonb(t)::text from {table} t where {theirs} and t.{tenant_column} = $2::uuid order by {order};

-- name: ActiveTenants
select m.tenant_id
from public.user_tenants m
join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
where m.user_id = $1 and m.status = 'active'
order by m.tenant_id;
