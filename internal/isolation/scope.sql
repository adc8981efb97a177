What Check and GuessScope ask besides the lints.

-- name: SearchPath
select pg_catalog.current_setting('search_path');

-- name: SearchPathSet
select pg_catalog.set_config('search_path', $1, false);

-- name: SchemaExists
select exists (select from pg_catalog.pg_namespace where nspname = $1);

-- name: SchemasGuess
-- Schemas with tables of the database's own: not the system's, an extension's or a platform's.
select n.nspname::text
from pg_catalog.pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and n.nspname not in ('auth', 'storage', 'realtime', 'extensions', 'vault', 'graphql', 'graphql_public', 'pgsodium', 'pgmq', 'cron', 'net',
    'supabase_functions', 'supabase_migrations', 'pgbouncer', 'vital')
  and exists (
    select from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p') and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'))
order by n.nspname;

-- name: TenantColumnGuess
-- The name most tables have of those a tenant column commonly goes by; of equals the more telling.
select k.name
from pg_catalog.unnest($2::text[]) with ordinality as k(name, rank)
join pg_catalog.pg_attribute a on a.attname = k.name and a.attnum > 0 and not a.attisdropped
join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any ($1::text[])
group by k.name, k.rank
order by pg_catalog.count(*) desc, k.rank
limit 1;

-- name: RolesGuess
-- PostgREST's roles where they reach a table; else whoever may log in and reach one, superusers aside.
with reaching as (
  select r.rolname::text as name, r.rolname in ('anon', 'authenticated') as postgrest
  from pg_catalog.pg_roles r
  where (r.rolname in ('anon', 'authenticated') or r.rolcanlogin and not r.rolsuper)
    and exists (
      select from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any ($1::text[])
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.has_schema_privilege(r.oid, n.oid, 'usage')
        and (pg_catalog.has_any_column_privilege(r.oid, c.oid, 'select, insert, update') or pg_catalog.has_table_privilege(r.oid, c.oid, 'delete')))
)
select r.name
from reaching r
where r.postgrest or not exists (select from reaching p where p.postgrest)
order by r.name;

-- name: LoginsGuess
-- PostgREST's login where it exists; else whoever may log in and become one of the roles, superusers aside.
select l.rolname::text
from pg_catalog.pg_roles l
where l.rolcanlogin
  and case
    when exists (select from pg_catalog.pg_roles p where p.rolname = 'authenticator') then l.rolname = 'authenticator'
    else not l.rolsuper and exists (
      select from pg_catalog.pg_roles r
      where r.rolname = any ($1::text[]) and r.oid <> l.oid and pg_catalog.pg_has_role(l.oid, r.oid, 'member'))
  end
order by l.rolname;

-- name: RolesMissing
select w.name
from pg_catalog.unnest($1::text[]) as w(name)
where not exists (select from pg_catalog.pg_roles r where r.rolname = w.name);

-- name: SchemasMissing
select w.name
from pg_catalog.unnest($1::text[]) as w(name)
where not exists (select from pg_catalog.pg_namespace n where n.nspname = w.name);

-- name: TenantColumnsMissing
select w.name
from pg_catalog.unnest($2::text[]) as w(name)
where not exists (
  select from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any ($1::text[])
  where a.attname = w.name and a.attnum > 0 and not a.attisdropped);


-- name: Placed
-- {terms} are those of database/lints.sql and database/scale.sql.
{terms}
select p.name, p.place from placed p order by p.place, p.name;
