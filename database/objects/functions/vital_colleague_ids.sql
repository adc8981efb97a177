-- owner: vital_definer
-- after: vital_tenant_for.sql
--
-- The members of the tenant the caller acts in, guests from other organizations included.
create or replace function vital.colleague_ids() returns setof uuid
language plpgsql stable parallel restricted security definer rows 50
set search_path = pg_catalog, pg_temp
as $$
declare
  current constant uuid := vital.tenant_for('read');
begin
  return query select m.user_id from public.user_tenants m where m.tenant_id = current;
end
$$;
comment on function vital.colleague_ids() is 'Members of the tenant the caller acts in';
grant execute on function vital.colleague_ids() to anon, authenticated, service_role;
