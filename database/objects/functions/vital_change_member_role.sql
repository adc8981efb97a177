-- owner: vital_definer
-- after: vital_require_changeable.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
--
-- Gives a member of a tenant another role, for public.change_member_role and operators; who may is judged
-- there. The last owner stays one (vital.keep_owner). Definer, because memberships are written through
-- functions alone.
create or replace function vital.change_member_role(p_tenant_id uuid, p_user_id uuid, p_role text, p_reason text default null)
returns public.user_tenants
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  member public.user_tenants;
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.require_value(p_role in ('owner', 'admin', 'member', 'viewer'), 'p_role', 'owner, admin, member or viewer');
  perform vital.give_reason(p_reason);
  update public.user_tenants m set role = p_role
  where m.tenant_id = p_tenant_id and m.user_id = p_user_id
  returning m.* into member;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such member of this tenant.',
      hint = 'Members are those of the table user_tenants; invite others first.';
  end if;
  return member;
end
$$;
comment on function vital.change_member_role(uuid, uuid, text, text) is 'Gives a member of a tenant another role, for operators';
grant execute on function vital.change_member_role(uuid, uuid, text, text) to service_role;
