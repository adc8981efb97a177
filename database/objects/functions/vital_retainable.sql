-- owner: vital_definer
--
-- What retention needs to know of a table: the column that names a row's tenant (tenant_id, else the first of the primary key that references
-- organizations, else another such column that is never null) and the primary key, which batches are cut by. Refuses a table whose rows are
-- not tenants', or are not to go by age; and an age column that holds no time. Definer, because set_retention asks for it; executable by no role.
create or replace function vital.retainable(
  p_schema text, p_table text, p_age_column text, out tenant_column text, out key_columns text[], out key_types text[], out age_type text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  relation oid;
begin
  select c.oid into relation
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = p_schema and c.relname = p_table and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'vital', 'auth');
  if relation is null then
    raise exception using errcode = 'VT205', message = format('There is no table %s.%s with rows of tenants.', p_schema, p_table), hint = 'Name it as schema.table.';
  end if;
  select a.attname into tenant_column
  from pg_attribute a
  left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attnotnull and a.atttypid = 'uuid'::regtype and (
    a.attname = 'tenant_id' or exists (
      select from pg_constraint f
      where f.contype = 'f' and f.conrelid = relation and f.confrelid = 'public.organizations'::regclass and f.conkey = array[a.attnum]))
  order by a.attname = 'tenant_id' desc, array_position(i.indkey::int2[], a.attnum) nulls last, a.attnum
  limit 1;
  select array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum)), array_agg(format_type(a.atttypid, a.atttypmod) order by array_position(i.indkey::int2[], a.attnum))
  into key_columns, key_types
  from pg_index i
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = relation and i.indisprimary;
  select format_type(a.atttypid, null) into age_type
  from pg_attribute a
  where a.attrelid = relation and a.attname = p_age_column and a.attnum > 0 and not a.attisdropped;
  if tenant_column is null or key_columns is null or (p_schema, p_table) in (
    ('public', 'organizations'), ('public', 'user_tenants'), ('public', 'tenant_configurations'), ('public', 'tenant_apps'), ('public', 'tenant_feature_flags'), ('public', 'access_records'), ('public', 'query_performance')) then
    raise exception using errcode = 'VT202', message = format('Rows of %s.%s do not go by age.', p_schema, p_table),
      hint = 'A table has rules if a column of it, never null, names the tenant (tenant_id, or a reference to organizations), and if it has a primary key; tenants, memberships, what a tenant is set up with, and records of loads and of access end otherwise.';
  elsif age_type is null or age_type not in ('timestamp with time zone', 'timestamp without time zone', 'date') then
    raise exception using errcode = 'VT202', message = format('%s of %s.%s does not say how old a row is.', coalesce(p_age_column, 'The age column'), p_schema, p_table),
      hint = 'Name a column that is a time or a day, as created_at.';
  elsif relation = 'public.organization_audit_log'::regclass and p_age_column <> 'created_at' then
    raise exception using errcode = 'VT202', message = 'The audit log goes by created_at.', hint = 'Name created_at.';
  end if;
end
$$;
comment on function vital.retainable(text, text, text) is 'What retention needs to know of a table, else an error';
