What erases a tenant or a user, a batch in a transaction. {table}, {column} and the like are names from the catalog, quoted.

-- name: Enter
-- Nobody waits for an erasure, and it waits for nobody long; what its triggers would write down of what goes is left out.
select pg_catalog.set_config('lock_timeout', '2s', true), pg_catalog.set_config('statement_timeout', '60s', true),
  pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('row_security', 'off', true),
  pg_catalog.set_config('vital.erasing', $1, true), pg_catalog.set_config('vital.reason', 'erasure ' || $1, true);

-- name: Gently
-- What goes over whole tables takes one core at most, and leaves time to others between pages.
select pg_catalog.set_config('max_parallel_workers_per_gather', '0', false), pg_catalog.set_config('jit', 'off', false),
  pg_catalog.set_config('max_parallel_maintenance_workers', '0', false),
  pg_catalog.set_config('vacuum_cost_delay', '2ms', false);

-- name: Lock
select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('vital.erasure ' || $1, 0));

-- name: Unlock
select pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended('vital.erasure ' || $1, 0));

-- name: Begin
select e.id, e.subject, e.subject_id, e.people, coalesce(e.addresses, '{}'), e.requested_by, e.requested_at, e.not_before, e.approved_by, e.approved_at,
  e.started_at, coalesce(e.chain_seq, 0), coalesce(pg_catalog.encode(e.chain_hash, 'hex'), ''), e.erased, e.key_destroyed_at
from vital.begin_erasure($1) e;

-- name: Count
-- Keeps how many rows of a table are gone, in the transaction they go in.
update vital.erasures e set erased = e.erased || pg_catalog.jsonb_build_object($2::text, coalesce((e.erased ->> $2)::bigint, 0) + $3::bigint)
where e.id = $1;

-- name: Erased
select e.erased from vital.erasures e where e.id = $1;

-- name: KeyDestroyed
update vital.erasures e set key_destroyed_at = vital.destroy_tenant_key(e.subject_id)
where e.id = $1
returning e.key_destroyed_at;

-- name: Finish
select vital.finish_erasure($1, $2, $3);

-- name: Owned
-- Every table that has rows of tenants, partitions one by one, with the column that names the tenant: tenant_id or organization_id, else the first of its
-- primary key that references organizations, else another such column that is never null. Tables that refer to others come with those; own
-- are columns of references to rows of the same table that can be emptied.
with relation as (
  select c.oid, coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid) as root, n.nspname as schema, c.relname as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.oid not in ('public.organizations'::pg_catalog.regclass, 'public.organization_audit_log'::pg_catalog.regclass,
      'vital.erasures'::pg_catalog.regclass, 'vital.tenant_keys'::pg_catalog.regclass, 'vital.pending_audit'::pg_catalog.regclass)
    and coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) <> 'public.access_records'::pg_catalog.regclass -- which the law has kept
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
), attribute as (
  select r.oid, a.attnum, a.attname, a.attnotnull, pg_catalog.array_position(i.indkey::int2[], a.attnum) as key_place
  from relation r
  join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype
  left join pg_catalog.pg_index i on i.indrelid = r.oid and i.indisprimary
), naming as (
  select distinct on (a.oid) a.oid, a.attname
  from attribute a
  where a.attnotnull and (
    a.attname in ('tenant_id', 'organization_id') or exists (
      select from pg_catalog.pg_constraint f
      where f.contype = 'f' and f.conrelid = a.oid and f.confrelid = 'public.organizations'::pg_catalog.regclass and f.conkey = array[a.attnum]))
  order by a.oid, (a.attname = 'tenant_id') desc, (a.attname = 'organization_id') desc, a.key_place nulls last, a.attnum
)
select r.schema::text, r.name::text, t.attname::text as column, r.root::int8,
  array(select distinct f.confrelid::int8 from pg_catalog.pg_constraint f where f.contype = 'f' and f.conrelid in (r.oid, r.root) and f.confrelid <> r.root) as refers,
  array(
    select distinct a.attname::text
    from pg_catalog.pg_constraint f
    join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = any (f.conkey)
    where f.contype = 'f' and f.conrelid = r.root and f.confrelid = r.root and not a.attnotnull and a.attname <> t.attname) as own
from relation r
join naming t on t.oid = r.oid
order by r.schema, r.name;

-- name: EraseRows
delete from only {table} t
where t.ctid = any (array(select d.ctid from only {table} d where d.{column} = $1 limit $2)) and t.{column} = $1;

-- name: CutOwn
update only {table} t set {assignments}
where t.ctid = any (array(select d.ctid from only {table} d where d.{column} = $1 and ({any}) limit $2)) and t.{column} = $1;

-- name: Pointers
-- Columns that may name a tenant without being the row's own: a user's default, and the like.
select n.nspname::text, c.relname::text, a.attname::text
from pg_catalog.pg_constraint f
join pg_catalog.pg_class c on c.oid = f.conrelid and c.relkind = 'r'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and f.conkey = array[a.attnum] and not a.attnotnull
where f.contype = 'f' and f.confrelid = 'public.organizations'::pg_catalog.regclass
  and c.oid not in ('public.organizations'::pg_catalog.regclass, 'vital.api_keys'::pg_catalog.regclass)
order by 1, 2, 3;

-- name: PointAway
update only {table} t set {column} = null
where t.ctid = any (array(select d.ctid from only {table} d where d.{column} = $1 limit $2)) and t.{column} = $1;

-- name: Rehome
-- Whoever had this tenant as their default and stays gets the oldest other one they are a member of.
update public.users u set organization_id = (
  select m.tenant_id from public.user_tenants m
  where m.user_id = u.id and m.status = 'active' and m.tenant_id <> $1
  order by m.joined_at, m.tenant_id limit 1)
where u.ctid = any (array(select d.ctid from public.users d where d.organization_id = $1 limit $2)) and u.organization_id = $1;

-- name: EraseKeys
delete from vital.api_keys k where k.acts_for = $1 and $2::integer > 0;

-- name: EraseJobs
delete from vital.river_job j
where j.ctid = any (array(select d.ctid from vital.river_job d, lateral (select pg_catalog.lower(d::text) as hay offset 0) h where {match} limit $3)) and j.state <> 'running';

-- name: EraseAnswers
delete from vital.idempotency_keys k
where k.ctid = any (array(
  select d.ctid from vital.idempotency_keys d,
    lateral (select pg_catalog.lower(d::text || ' ' || coalesce(pg_catalog.encode(d.body, 'escape'), '')) as hay offset 0) h
  where {match} limit $3));

-- name: EraseInvitations
delete from public.invitations i
where i.ctid = any (array(select d.ctid from public.invitations d where pg_catalog.lower(d.email) = any ($1::text[]) limit $2));

-- name: EraseNamingAudit
-- What audit rows of other chains hold of people: their contents where these name them, and those of rows about their account and memberships, sealed ones too.
select pg_catalog.count(*) from (
  select vital.erase_audit(d.organization_id, d.id) as done
  from public.organization_audit_log d,
    lateral (select pg_catalog.lower(coalesce(d.changes::text, '') || ' ' || coalesce(d.reason, '')) as hay offset 0) h
  where d.organization_id <> $5 and d.erased_at is null and (d.changes is not null or d.reason is not null or d.sealed is not null) and ({match}
    or d.entity_id = any ($3::uuid[])
    or d.entity_id in (select m.id from public.user_tenants m where m.user_id = any ($3::uuid[])))
  limit $4) x
where x.done;

-- name: PersonColumns
-- Columns that can hold a user's id and can be emptied.
select n.nspname::text, c.relname::text, pg_catalog.array_agg(a.attname::text order by a.attnum),
  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and not a.attnotnull
  and a.attgenerated = '' and a.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'auth')
  and c.oid not in ('public.organization_audit_log'::pg_catalog.regclass, 'vital.erasures'::pg_catalog.regclass, 'vital.pending_audit'::pg_catalog.regclass)
  and coalesce(pg_catalog.pg_partition_root(c.oid), c.oid) <> 'public.access_records'::pg_catalog.regclass
group by c.oid, n.nspname, c.relname
order by 1, 2;

-- name: NamesPeople
select exists (select from only {table} t where {any});

-- name: ForgetPeople
update only {table} t set {assignments}
where t.ctid >= $2::text::tid and t.ctid < $3::text::tid and ({any});

-- name: ForgetFlagPeople
update public.feature_flag_versions v
set config = pg_catalog.replace(v.config::text, p.id::text, '00000000-0000-0000-0000-000000000000')::jsonb
from pg_catalog.unnest($1::text[]) p (id)
where v.ctid = any (array(select d.ctid from public.feature_flag_versions d, pg_catalog.unnest($1::text[]) w (id) where pg_catalog.strpos(d.config::text, w.id) > 0 limit $2))
  and pg_catalog.strpos(v.config::text, p.id) > 0;

-- name: ForgetOverridePeople
update public.tenant_feature_flag_versions v
set config = pg_catalog.replace(v.config::text, p.id::text, '00000000-0000-0000-0000-000000000000')::jsonb
from pg_catalog.unnest($1::text[]) p (id)
where v.ctid = any (array(select d.ctid from public.tenant_feature_flag_versions d, pg_catalog.unnest($1::text[]) w (id) where pg_catalog.strpos(d.config::text, w.id) > 0 limit $2))
  and pg_catalog.strpos(v.config::text, p.id) > 0;

-- name: AccountsAreOurs
select n.nspowner = 'vital_owner'::pg_catalog.regrole from pg_catalog.pg_namespace n where n.nspname = 'auth';

-- name: EndSessions
insert into vital.revoked_sessions (session_id, expires_at)
select s.id, pg_catalog.now() + interval '1 day' from auth.sessions s where s.user_id = any ($1::uuid[])
on conflict do nothing;

-- name: EraseAccounts
delete from auth.users u where u.id = any (array(select p.id from pg_catalog.unnest($1::uuid[]) p (id) join auth.users d on d.id = p.id limit $2));

-- name: ErasePeople
delete from public.users u where u.id = any (array(select p.id from pg_catalog.unnest($1::uuid[]) p (id) join public.users d on d.id = p.id limit $2));

-- name: EraseChain
select vital.erase_chain($1, $2);

-- name: EraseOrganization
delete from public.organizations o where o.id = $1 and $2::integer > 0;

-- name: Vacuum
-- It would wait for nobody, but others for it, while it gave empty pages back.
vacuum (analyze, skip_locked, truncate false) {table};

-- name: Reached
-- These tables, and those whose rows go or change with theirs.
with recursive reached (oid) as (
  select pg_catalog.to_regclass(t.name)::oid from pg_catalog.unnest($1::text[]) t (name) where pg_catalog.to_regclass(t.name) is not null
  union
  select f.conrelid from reached r join pg_catalog.pg_constraint f on f.contype = 'f' and f.confrelid = r.oid and f.confdeltype in ('c', 'n', 'd')
)
select n.nspname::text || '.' || c.relname::text
from reached r
join pg_catalog.pg_class c on c.oid = r.oid and c.relkind = 'r'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by 1;

-- name: Analyze
analyze (skip_locked) {table};

-- name: Roots
-- Partitioned tables that these are parts of: what the planner remembers of a whole is remembered apart.
select distinct n.nspname::text || '.' || c.relname::text
from pg_catalog.unnest($1::text[]) t (name)
join pg_catalog.pg_class c on c.oid = pg_catalog.pg_partition_root(pg_catalog.to_regclass(t.name))
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by 1;

-- name: ForgetEmpty
-- A table without rows is not analyzed: what the planner remembers of it would stay. Superusers alone may make it forget.
delete from pg_catalog.pg_statistic s
using pg_catalog.pg_class c
where c.oid = s.starelid and c.oid = any (select pg_catalog.to_regclass(t.name) from pg_catalog.unnest($1::text[]) t (name)) and c.reltuples = 0
  and (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user);

-- name: DeadRows
select coalesce(pg_catalog.sum(s.n_dead_tup), 0)::int8 from pg_catalog.pg_stat_all_tables s where s.relid = any (select pg_catalog.to_regclass(n) from pg_catalog.unnest($1::text[]) n);

-- name: ServerFacts
select pg_catalog.current_setting('server_version'), (select pg_catalog.max(m.version_id) from vital.migrations m where m.is_applied), pg_catalog.clock_timestamp();
