-- after: vital_require_operator.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
-- after: vital_refuse_move.sql
--
-- Moves a tenant in its life: approve, activate, suspend or archive, by a super admin or service_role, with
-- a reason. pending -> active <-> suspended -> archived; any other move is refused and the error names
-- those that are allowed. Row-level security stays in force.
create or replace function public.change_tenant_state(p_tenant_id uuid, p_action text, p_reason text) returns public.organizations
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant public.organizations;
  target public.org_lifecycle_state;
begin
  perform vital.require_operator();
  perform vital.require_value(exists (select from vital.lifecycle_moves() m where m.action = p_action),
    'p_action', 'approve, activate, suspend or archive');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tenant''s state changes');
  perform vital.give_reason(p_reason);

  select o.* into tenant from public.organizations o where o.id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  end if;
  select m.to_state into target from vital.lifecycle_moves() m where m.action = p_action and m.from_state = tenant.lifecycle_state;
  if not found then
    perform vital.refuse_move(tenant.lifecycle_state);
  end if;
  update public.organizations o set lifecycle_state = target where o.id = p_tenant_id returning o.* into tenant;
  return tenant;
end
$$;
comment on function public.change_tenant_state(uuid, text, text) is 'Approves, activates, suspends or archives a tenant';
grant execute on function public.change_tenant_state(uuid, text, text) to authenticated, service_role;
