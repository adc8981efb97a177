What the server needs to evaluate flags for its callers.

-- name: FlagContext
select f.tenant, f.member, f.overrides, f.versions, f.until, vital.wal_position()::text from vital.flag_context() f;

-- name: Versions
select v.scope, v.key, v.version, pg_catalog.date_part('epoch', v.age)::pg_catalog.float8, (vital.wal_position() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8
from vital.versions_of($1::text[], $2::text[]::uuid[]) v;

-- name: Position
select (vital.wal_position() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8;

-- name: MemberRole
select m.role from public.user_tenants m where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active';
