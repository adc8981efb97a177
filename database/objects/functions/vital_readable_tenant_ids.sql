-- owner: vital_definer
-- after: vital_tenant_for.sql
--
-- Whose rows the caller may read where the platform shares some with everybody: the tenant they act
-- in and the platform tenant. Empty for whoever acts in no tenant.
create or replace function vital.readable_tenant_ids() returns setof uuid
language plpgsql stable parallel restricted security definer rows 2
set search_path = pg_catalog, pg_temp
as $$
declare
  current constant uuid := vital.tenant_for('read');
  platform constant uuid := '00000000-0000-0000-0000-000000000001';
begin
  if current is not null then
    return next current;
    if current <> platform then
      return next platform;
    end if;
  end if;
end
$$;
comment on function vital.readable_tenant_ids() is 'The tenant the caller acts in, and the platform tenant';
grant execute on function vital.readable_tenant_ids() to anon, authenticated, service_role;
