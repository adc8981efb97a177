What commands ask of a database as its operator.

-- name: DatabaseExists
select exists (select from pg_catalog.pg_database where datname = $1);

-- name: PasswordStatement
select pg_catalog.format('alter role %I password %L', $1::text, $2::text);

-- name: SealKeyRotate
select vital.rotate_seal_key($1);

-- name: DescribeDatabase
select pg_catalog.current_database()::text,
  pg_catalog.to_regprocedure('vital.identity()') is not null,
  pg_catalog.has_database_privilege('public', pg_catalog.current_database(), 'temporary');

-- name: LoginIsSuperuser
select r.rolsuper from pg_catalog.pg_roles r where r.rolname = session_user;

-- name: LoginStatement
select pg_catalog.format('create role %I login password %L', $1::text, $2::text);

-- name: MemberStatement
select pg_catalog.format('grant %2$I to %1$I', $1::text, $2::text);

-- name: ProofsKept
-- Whether this is a database of VITAL's whose history has room for proofs.
select exists (
  select from pg_catalog.pg_constraint c
  where c.conrelid = pg_catalog.to_regclass('vital.check_runs') and c.conname = 'check_runs_check_name_check' and pg_catalog.pg_get_constraintdef(c.oid) like '%''proof''%'
);

-- name: RecordExport
select vital.give_reason($2), vital.record_export($1);

-- name: GiveReason
select vital.give_reason($1);
