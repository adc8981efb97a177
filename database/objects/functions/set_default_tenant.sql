-- owner: vital_definer
-- after: vital_require_standing.sql
--
-- Makes a tenant the one the caller acts in when a request names none. They are an active member of it,
-- and it is active. Definer, because users are not the callers' own to write.
create or replace function public.set_default_tenant(p_tenant_id uuid) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  caller constant vital.caller := vital.identity();
begin
  if not exists (
    select from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = caller.user_id and m.status = 'active') then
    if caller.user_id is null then
      raise exception using errcode = 'VT100', message = 'A signed-in user is required here.',
        hint = 'Send the access token of a user; an API key alone stands for nobody.';
    end if;
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Choose one of the tenants of your context.';
  end if;
  perform vital.require_standing(array['owner', 'admin', 'member', 'viewer'], p_tenant_id);
  update public.users u set organization_id = p_tenant_id
  where u.id = caller.user_id and u.organization_id is distinct from p_tenant_id;
  return p_tenant_id;
end
$$;
comment on function public.set_default_tenant(uuid) is 'Makes a tenant the one the caller acts in when none is named';
grant execute on function public.set_default_tenant(uuid) to authenticated, service_role;
