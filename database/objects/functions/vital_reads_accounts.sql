-- owner: vital_definer
--
-- Whether definer functions may read auth.users: a managed platform may keep its accounts to itself.
create or replace function vital.reads_accounts() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'auth' and c.relname = 'users' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))
$$;
comment on function vital.reads_accounts() is 'Whether definer functions may read auth.users';
