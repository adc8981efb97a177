-- owner: vital_definer
-- after: vital_require_admin.sql
--
-- How long rows of the tenant the caller administers are kept: their own rules, and those for all tenants where there are none of their own.
-- What an operator is called is not told. Definer, because sessions of users do not reach schema vital's tables.
create or replace function public.list_retention()
returns table (table_schema text, table_name text, age_column text, keep interval, reason text, is_own boolean, set_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  return query
    select distinct on (r.table_schema, r.table_name) r.table_schema, r.table_name, r.age_column, r.keep, r.reason, r.organization_id <> '00000000-0000-0000-0000-000000000001', r.set_at
    from vital.retention_rules r
    where r.organization_id in ('00000000-0000-0000-0000-000000000001', standing.tenant_id)
    order by r.table_schema, r.table_name, r.organization_id = '00000000-0000-0000-0000-000000000001';
end
$$;
comment on function public.list_retention() is 'How long rows of the caller''s tenant are kept';
grant execute on function public.list_retention() to authenticated;
