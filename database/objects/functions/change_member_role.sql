-- owner: vital_definer
-- after: vital_require_over_member.sql
-- after: vital_change_member_role.sql
--
-- Gives a member of the tenant the caller administers another role. Only owners make and unmake owners,
-- nobody raises their own role, and the last owner stays one. Definer, because memberships are written
-- through functions alone.
create or replace function public.change_member_role(p_user_id uuid, p_role text, p_reason text default null) returns public.user_tenants
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  ranks constant text[] := array['viewer', 'member', 'admin', 'owner'];
  standing constant vital.membership := vital.require_over_member(p_user_id);
begin
  if p_role = 'owner' and standing.role <> 'owner' and not standing.is_super_admin then
    raise exception using errcode = 'VT110', message = 'Only owners make owners.', hint = 'Ask an owner of the tenant.';
  elsif p_user_id = standing.user_id and array_position(ranks, p_role) > (
    select array_position(ranks, m.role) from public.user_tenants m where m.tenant_id = standing.tenant_id and m.user_id = p_user_id) then
    raise exception using errcode = 'VT110', message = 'Nobody raises their own role.', hint = 'Ask another admin of the tenant.';
  end if;
  return vital.change_member_role(standing.tenant_id, p_user_id, p_role, p_reason);
end
$$;
comment on function public.change_member_role(uuid, text, text) is 'Gives a member of the tenant the caller administers another role';
grant execute on function public.change_member_role(uuid, text, text) to authenticated, service_role;
