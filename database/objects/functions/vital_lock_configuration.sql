-- owner: vital_definer
--
-- The configuration of a tenant, locked to the end of the transaction: what counts against a limit waits
-- here for whatever else is counted. Definer, because members who may not change a configuration are
-- bound by its limits; executable by no role.
create or replace function vital.lock_configuration(p_tenant_id uuid) returns public.tenant_configurations
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  configuration public.tenant_configurations;
begin
  select c.* into configuration from public.tenant_configurations c where c.tenant_id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT109', message = 'This tenant has no configuration.',
      hint = 'Its row in tenant_configurations is missing; an operator can restore it (vital fix data).';
  end if;
  return configuration;
end
$$;
comment on function vital.lock_configuration(uuid) is 'The configuration of a tenant, locked to the end of the transaction';
