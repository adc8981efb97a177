-- owner: vital_definer
-- after: vital_entry_of.sql
-- after: vital_require_value.sql
-- after: vital_give_reason.sql
-- after: vital_append_audit.sql
--
-- Lets a super admin into a tenant they are no member of, for p_duration, for public.enter_tenant and operators; who may is judged
-- there. An entry they have already is ended by the new one. It stands in the tenant's audit log with its reason.
-- Definer, because entries are written through functions alone.
create or replace function vital.enter_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text, p_duration interval) returns public.break_glass
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  longest constant interval := (select s.break_glass_longest from vital.settings s);
  entry public.break_glass;
begin
  perform vital.require_value(btrim(coalesce(p_reason, '')) <> '' and length(p_reason) <= 500, 'p_reason', 'given, in up to 500 characters: the tenant reads why');
  perform vital.require_value(p_duration >= interval '1 minute' and p_duration <= longest, 'p_duration', format('between a minute and %s', longest));
  perform from public.organizations o where o.id = p_tenant_id;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name it by its id, as in the table organizations.';
  end if;
  perform from public.profiles p where p.id = p_user_id and p.role = 'super_admin' for no key update; -- one entry at a time
  if not found then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform enter tenants.',
      hint = 'Members are in their tenants as they are; others are invited.';
  end if;
  if exists (select from public.user_tenants m where m.tenant_id = p_tenant_id and m.user_id = p_user_id and m.status = 'active' and m.role in ('owner', 'admin')) then
    raise exception using errcode = 'VT203', message = 'An admin of a tenant is in it already.', hint = 'Act in it, by the Vital-Tenant header.';
  end if;
  perform vital.give_reason(p_reason);
  update public.break_glass b set ended_at = now(), ended_by = p_user_id
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > now();
  insert into public.break_glass (tenant_id, user_id, reason, until)
  values (p_tenant_id, p_user_id, btrim(p_reason), now() + p_duration)
  returning * into entry;
  perform vital.append_audit(p_tenant_id, 'entered', 'break_glass', entry.id,
    jsonb_build_object('old', null, 'new', jsonb_build_object('user_id', entry.user_id, 'until', entry.until)));
  return entry;
end
$$;
comment on function vital.enter_tenant(uuid, uuid, text, interval) is 'Lets a super admin into a tenant they are no member of, for operators';
grant execute on function vital.enter_tenant(uuid, uuid, text, interval) to service_role;
