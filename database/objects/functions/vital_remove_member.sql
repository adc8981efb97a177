-- owner: vital_definer
-- after: vital_require_changeable.sql
-- after: vital_give_reason.sql
--
-- Ends a membership, for public.remove_member and operators; who may is judged there. Whoever had this
-- tenant as their default gets the oldest other one they are a member of. The last owner stays
-- (vital.keep_owner). Definer, because memberships are written through functions alone.
create or replace function vital.remove_member(p_tenant_id uuid, p_user_id uuid, p_reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_changeable(p_tenant_id);
  perform vital.give_reason(p_reason);
  delete from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = p_user_id;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such member of this tenant.',
      hint = 'Members are those of the table user_tenants.';
  end if;
  update public.users u set organization_id = o.tenant_id
  from (
    select m.tenant_id from public.user_tenants m
    where m.user_id = p_user_id and m.status = 'active'
    order by m.joined_at, m.tenant_id limit 1
  ) o
  where u.id = p_user_id and u.organization_id = p_tenant_id;
end
$$;
comment on function vital.remove_member(uuid, uuid, text) is 'Ends a membership, for operators';
grant execute on function vital.remove_member(uuid, uuid, text) to service_role;
