-- owner: vital_definer
-- after: vital_give_reason.sql
-- after: vital_append_audit.sql
-- after: vital_user_id.sql
--
-- Ends a super admin's entry into a tenant before its time, for public.leave_tenant and operators; who may is judged there. It stands in
-- the tenant's audit log. Definer, because entries are written through functions alone.
create or replace function vital.leave_tenant(p_tenant_id uuid, p_user_id uuid, p_reason text default null) returns public.break_glass
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  entry public.break_glass;
begin
  perform vital.give_reason(p_reason);
  update public.break_glass b set ended_at = now(), ended_by = vital.user_id()
  where b.tenant_id = p_tenant_id and b.user_id = p_user_id and b.ended_at is null and b.until > now()
  returning * into entry;
  if not found then
    raise exception using errcode = 'VT205', message = 'There is no such entry, or it has ended.',
      hint = 'Entries are those of the table break_glass.';
  end if;
  perform vital.append_audit(p_tenant_id, 'left', 'break_glass', entry.id,
    jsonb_build_object('old', jsonb_build_object('user_id', entry.user_id, 'until', entry.until), 'new', null));
  return entry;
end
$$;
comment on function vital.leave_tenant(uuid, uuid, text) is 'Ends a super admin''s entry into a tenant, for operators';
grant execute on function vital.leave_tenant(uuid, uuid, text) to service_role;
