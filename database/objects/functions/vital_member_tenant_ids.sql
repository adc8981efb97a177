-- owner: vital_definer
-- after: vital_identity.sql
--
-- Every tenant the caller is an active member of, whichever they act in now: what a tenant switcher
-- lists.
create or replace function vital.member_tenant_ids() returns setof uuid
language plpgsql stable parallel restricted security definer rows 5
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  return query
    select m.tenant_id from public.user_tenants m where m.user_id = caller.user_id and m.status = 'active';
end
$$;
comment on function vital.member_tenant_ids() is 'Tenants the caller is an active member of';
grant execute on function vital.member_tenant_ids() to anon, authenticated, service_role;
