-- owner: vital_definer
-- after: vital_require_admin.sql
--
-- The standing of a caller who may change the membership of p_user_id in the tenant they administer: an
-- owner's is changed by owners alone. Both memberships are locked first and judged after, so that of two
-- who change each other at once the second is judged by what the first has left of them. Definer, because
-- no role may lock memberships; executable by no role.
create or replace function vital.require_over_member(p_user_id uuid) returns vital.membership
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing vital.membership := vital.require_admin();
begin
  perform from public.user_tenants m
  where m.tenant_id = standing.tenant_id and m.user_id in (standing.user_id, p_user_id)
  order by m.user_id
  for update;
  standing := vital.require_admin();
  if standing.role <> 'owner' and not standing.is_super_admin
    and exists (select from public.user_tenants m where m.tenant_id = standing.tenant_id and m.user_id = p_user_id and m.role = 'owner') then
    raise exception using errcode = 'VT110', message = 'Only owners change the membership of an owner.',
      hint = 'Ask an owner of the tenant.';
  end if;
  return standing;
end
$$;
comment on function vital.require_over_member(uuid) is 'The standing of a caller who may change a membership of their tenant, else an error';
