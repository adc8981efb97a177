What attacking a server needs beside the two tenants: run by an operator, in a database made for it.

-- name: Address
update public.users set email = $2::text || pg_catalog.left(pg_catalog.replace(id::text, '-', ''), 8) || '@vital.test' where id = any ($1);

-- name: Profile
insert into public.profiles (id, email, full_name)
select u.id, u.email, $2::text || pg_catalog.left(pg_catalog.replace(u.id::text, '-', ''), 8) from public.users u where u.id = any ($1)
on conflict (id) do update set email = excluded.email, full_name = excluded.full_name, role = 'user';

-- name: SuperAdmin
with u as (
  insert into public.users (id, organization_id, email) values ($1::uuid, $2::uuid, $3) returning id, organization_id, email
), m as (
  insert into public.user_tenants (tenant_id, user_id, role) select u.organization_id, u.id, 'admin' from u
)
insert into public.profiles (id, email, role) select u.id, u.email, 'super_admin' from u
on conflict (id) do update set role = 'super_admin';

-- name: Keep
create table {copy} as table {relation};

-- name: Restore
delete from {relation};
insert into {relation} ({columns}) overriding system value select {columns} from {copy};

-- name: LatestTransaction
select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text;

-- name: Document
select pg_catalog.to_json(d)::text from (select {columns}) d;

-- name: Grants
select c.oid,
  pg_catalog.has_any_column_privilege($2::name, c.oid, 'select'),
  pg_catalog.has_any_column_privilege($2::name, c.oid, 'insert'),
  pg_catalog.has_any_column_privilege($2::name, c.oid, 'update'),
  pg_catalog.has_table_privilege($2::name, c.oid, 'delete')
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm')
order by c.oid;

-- name: Callable
select p.oid
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname = any ($1) and pg_catalog.has_function_privilege($2::name, p.oid, 'execute')
order by p.oid;

-- name: Readable
select a.attrelid, pg_catalog.array_agg(a.attname::text order by a.attnum)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
  and pg_catalog.has_column_privilege($2::name, c.oid, a.attnum, 'select')
group by a.attrelid;

-- name: AdvisoryLocks
select pg_catalog.count(*) from pg_catalog.pg_locks l
where l.locktype = 'advisory' and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database());

-- name: Trace
select pg_catalog.concat_ws(E'\n',
  (select pg_catalog.string_agg(name || '=' || setting || ' ' || source, E'\n' order by name) from pg_catalog.pg_settings where source in ('session', 'interactive')),
  'user ' || current_user || ' ' || session_user,
  'context ' || pg_catalog.split_part(pg_catalog.current_setting('vital.context', true), '.', 3),
  'marker ' || nullif(pg_catalog.current_setting('test.marker', true), ''),
  'cursors ' || (select pg_catalog.count(*) from pg_catalog.pg_cursors where is_holdable),
  'channels ' || (select pg_catalog.count(*) from pg_catalog.pg_listening_channels()),
  'temporary ' || pg_catalog.pg_my_temp_schema(),
  'format ' || '2026-01-02 03:04:05.678+00'::timestamptz || ' ' || '1 day 02:03:04'::interval || ' ' || '\xdeadbeef'::bytea
    || ' ' || 0.1::float8 + 0.2::float8 || ' ' || 'a\b' || ' é ' || array['a', null]::text,
  'path ' || pg_catalog.current_schemas(true)::text,
  'transaction ' || pg_catalog.current_setting('transaction_isolation') || pg_catalog.current_setting('transaction_read_only'))

-- name: TenantKey
insert into vital.api_keys (name, role, prefix, key_hash, acts_for, rights) values ($1, 'anon', $2, $3, $4::uuid, '{flags}');
