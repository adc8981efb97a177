-- after: vital_require_operator.sql
-- after: vital_require_changeable.sql
-- after: vital_give_reason.sql
--
-- Makes a tenant part of another organization, or of none (null), by a super admin or service_role. The
-- trigger vital.guard_parent refuses circles and more than five levels, for every writer.
create or replace function public.set_parent_organization(p_tenant_id uuid, p_parent_organization_id uuid, p_reason text default null)
returns public.organizations
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant public.organizations;
begin
  perform vital.require_operator();
  perform vital.require_changeable(p_tenant_id);
  if p_parent_organization_id is not null then
    perform vital.require_changeable(p_parent_organization_id);
  end if;
  perform vital.give_reason(p_reason);
  update public.organizations o set parent_organization_id = p_parent_organization_id
  where o.id = p_tenant_id
  returning o.* into tenant;
  return tenant;
end
$$;
comment on function public.set_parent_organization(uuid, uuid, text) is 'Makes a tenant part of another organization, or of none';
grant execute on function public.set_parent_organization(uuid, uuid, text) to authenticated, service_role;
