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
