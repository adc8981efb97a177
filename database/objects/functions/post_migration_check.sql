-- owner: vital_definer
-- after: validate_schema.sql
--
-- Whether a migration has left the schema as it must be, one row for each check: status is OK, WARNING or FAIL. `vital migrate up` asks
-- before it commits, and keeps nothing after a FAIL. For super users, service_role and members of vital_owner.
create or replace function public.post_migration_check()
returns table (check_type text, status text, message text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query select 'tenant_id_columns', case when count(*) >= 7 then 'OK' else 'FAIL' end, 'Tables with tenant_id: ' || count(*) || ' (expected 7+)'
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id' and not a.attisdropped
      and c.relname in ('tools', 'agents', 'prompts', 'knowledge', 'chat_sessions', 'personas', 'jobs_to_be_done');

  return query select 'rls_policies', case when count(*) >= 20 then 'OK' else 'FAIL' end, 'RLS policies: ' || count(*) || ' (expected 20+)'
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'public'::regnamespace;

  return query select 'schema_validation', case when count(*) = 0 then 'OK' else 'FAIL' end,
      'Schema issues: ' || count(*) || coalesce(' (' || string_agg(format('%s.%s: %s', v.table_name, v.column_name, v.issue), ', ') || ')', '')
    from public.validate_schema() v where v.status <> 'OK';

  return query select 'invalid_indexes', case when count(*) > 0 then 'WARNING' else 'OK' end, 'Invalid indexes: ' || coalesce(string_agg(i.indexrelid::regclass::text, ', '), 'none')
    from pg_index i where not i.indisvalid;
end
$$;
comment on function public.post_migration_check() is 'Whether a migration has left the schema as it must be; for operators';
grant execute on function public.post_migration_check() to authenticated, service_role;
