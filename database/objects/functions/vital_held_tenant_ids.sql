-- owner: vital_definer
--
-- Tenants on legal hold, for what lets rows go for their age. Definer, because holds are operators' business.
create or replace function vital.held_tenant_ids() returns setof uuid
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select h.tenant_id from vital.legal_holds h where h.released_at is null
$$;
comment on function vital.held_tenant_ids() is 'Tenants on legal hold';
grant execute on function vital.held_tenant_ids() to service_role, vital_owner;
