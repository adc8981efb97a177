-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_operator_name.sql
--
-- Puts a tenant on legal hold, or lifts that, by a super admin or an operator, with a reason; the tenant's audit log has it. Nothing of a
-- held tenant is erased, or dropped for its age. Definer, because holds are written through functions alone.
create or replace function public.set_legal_hold(p_tenant_id uuid, p_held boolean, p_reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  perform vital.require_value(p_held is not null, 'p_held', 'true or false');
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '', 'p_reason', 'given: why the tenant''s data must be kept, or need not be any more');
  perform from public.organizations o where o.id = p_tenant_id for no key update;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  if p_held then
    insert into vital.legal_holds (tenant_id, reason, placed_by) values (p_tenant_id, btrim(p_reason), vital.operator_name()) on conflict do nothing;
  else
    update vital.legal_holds h set released_by = vital.operator_name(), released_at = now() where h.tenant_id = p_tenant_id and h.released_at is null;
  end if;
  if not found then
    raise exception using errcode = 'VT203', message = case when p_held then 'This tenant is on legal hold already.' else 'This tenant is not on legal hold.' end,
      hint = 'See its audit log for who placed or lifted it.';
  end if;
  perform vital.give_reason(p_reason);
  perform vital.append_audit(p_tenant_id, case when p_held then 'held' else 'released' end, 'organizations', p_tenant_id, null);
end
$$;
comment on function public.set_legal_hold(uuid, boolean, text) is 'Puts a tenant on legal hold, or lifts that; for operators';
grant execute on function public.set_legal_hold(uuid, boolean, text) to authenticated, service_role;
