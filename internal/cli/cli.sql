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
