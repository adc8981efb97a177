What installing and migrating asks of the database. Run by the operator's connection.

-- name: Bookkeeping
create table if not exists vital.applied_files (
  path text primary key,
  sha256 text not null,
  applied_at timestamptz not null default now()
);
comment on table vital.applied_files is 'Files of database/ as they were when they were last applied';
comment on column vital.applied_files.path is 'roles.sql, migrations/name.sql or kind/name.sql';
comment on column vital.applied_files.sha256 is 'SHA-256 of the text, hex';
comment on column vital.applied_files.applied_at is 'When it was last applied';

-- name: BookkeepingExists
select to_regclass('vital.applied_files') is not null;

-- name: MigrationsTableExists
select to_regclass('vital.migrations') is not null;

-- name: AppliedVersions
select version_id from vital.migrations where version_id > 0 and is_applied order by version_id;

-- name: AppliedFiles
select path, sha256 from vital.applied_files;

-- name: ObjectRecord
insert into vital.applied_files as a (path, sha256) values ($1, $2)
on conflict (path) do update set sha256 = excluded.sha256, applied_at = now();

-- name: PolicyNames
select polname::text from pg_catalog.pg_policy where polrelid = $1::text::regclass order by polname;

-- name: FunctionsOfOthers
select p.oid::regprocedure::text
from pg_catalog.pg_proc p
where p.pronamespace = $1::text::regnamespace and p.proname = $2 and p.proowner <> $3::text::regrole and p.prokind = 'f';

-- name: MissingRoles
select coalesce(array_agg(w.name order by w.name), '{}')::text[]
from unnest($1::text[]) as w(name)
where not exists (select from pg_catalog.pg_roles r where r.rolname = w.name);

-- name: SealKeyMissing
select not exists (select from vital.seal_keys);

-- name: SealKeyCreate
select vital.rotate_seal_key();

-- name: TryLock
select pg_catalog.pg_try_advisory_lock(7165473120);

-- name: ServerVersion
select current_setting('server_version_num')::integer;

-- name: CatalogUnwatched
-- Event triggers take a superuser. Where there is none, the catalog is read anew after `vital migrate up`,
-- or when somebody says: notify pgrst, 'reload schema'.
select r.rolsuper and not exists (select from pg_catalog.pg_event_trigger where evtname = 'vital_notify_catalog')
from pg_catalog.pg_roles r
where r.rolname = current_user;

-- name: CatalogWatch
do $$
begin
  create event trigger vital_notify_catalog on ddl_command_end execute function vital.notify_catalog();
  comment on event trigger vital_notify_catalog is 'Tells that the schema has changed, so that catalogs are read anew';
end
$$;

-- name: CatalogNotify
select pg_catalog.pg_notify('pgrst', 'reload schema');

-- name: SavepointMake
savepoint migration;

-- name: SavepointKeep
release savepoint migration;

-- name: SavepointUndo
rollback to savepoint migration; release savepoint migration;

-- name: ActAsOwner
set local role vital_owner;

-- name: ActAsOperator
reset role;

-- name: DeferBodies
set local check_function_bodies = off;

-- name: LockTimeout
select pg_catalog.set_config('lock_timeout', $1, true);

-- name: PreCheck
select c.check_type, c.status, c.message from public.pre_migration_check() c;

-- name: PostCheck
select c.check_type, c.status, c.message from public.post_migration_check() c;

-- name: CirclesLookedForFirst
-- Of those who wait for each other in a circle, whoever looks first is ended: the migration, which begins anew, and no request.
select case when pg_catalog.has_parameter_privilege('deadlock_timeout', 'set') then pg_catalog.set_config('deadlock_timeout', '50ms', true) end;

-- name: RelationsToTake
-- Those that are there of what files are named for, vital_ in front standing for schema vital; views first, as whoever reads
-- one takes it before its tables.
select pg_catalog.format('%I.%I', n.nspname, c.relname)
from pg_catalog.unnest($1::text[]) as f (name)
join pg_catalog.pg_namespace n on n.nspname = case when f.name like 'vital\_%' then 'vital' else 'public' end
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = case when f.name like 'vital\_%' then pg_catalog.substr(f.name, 7) else f.name end
where c.relkind in ('r', 'p', 'v')
order by c.relkind <> 'v', n.nspname, c.relname;

-- name: RelationTake
lock table {relation} in access exclusive mode;
