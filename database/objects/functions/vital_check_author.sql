-- owner: vital_definer
--
-- Refuses a scheduled change whose author may no longer make it: of a definition (p_tenant_id is null) a
-- super admin, of a tenant's override an owner or admin of the active tenant, or a super admin. An operator's
-- own session (null) may. Definer, because it looks at anybody's standing; executable by no role.
create or replace function vital.check_author(p_user_id uuid, p_tenant_id uuid) returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_user_id is null
    or exists (select from public.profiles p where p.id = p_user_id and p.role = 'super_admin')
    or exists (
      select from public.user_tenants m
      join public.organizations o on o.id = m.tenant_id and o.lifecycle_state = 'active'
      where m.tenant_id = p_tenant_id and m.user_id = p_user_id and m.status = 'active' and m.role in ('owner', 'admin'))
  then
    return;
  end if;
  raise exception using errcode = 'VT110', message = 'Whoever scheduled this change may no longer make it.',
    hint = 'Somebody who may has to schedule it anew.';
end
$$;
comment on function vital.check_author(uuid, uuid) is 'Refuses a scheduled change whose author may no longer make it';
