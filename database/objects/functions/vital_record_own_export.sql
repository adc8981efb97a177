-- owner: vital_definer
-- after: vital_require_admin.sql
-- after: vital_append_audit.sql
--
-- Notes that an owner takes their tenant's data out, or a super admin acting for it, with the reason; returns the tenant. Anybody else gets the error
-- that says why not. Six times an hour at most. Definer, because nobody writes the audit log by hand.
create or replace function vital.record_own_export(p_reason text) returns uuid
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  standing constant vital.membership := vital.require_admin();
begin
  if not standing.is_super_admin and standing.role <> 'owner' then
    raise exception using errcode = 'VT110', message = format('Your role in this tenant is %s; this takes an owner.', standing.role), hint = 'Ask an owner of the tenant.';
  end if;
  if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 1000 then
    raise exception using errcode = 'VT202', message = 'This takes a reason; the audit log keeps it.', hint = 'Give one in the Vital-Reason header, of 1000 bytes at most.';
  end if;
  perform from public.organizations o where o.id = standing.tenant_id for no key update; -- one after the other, so that each is counted
  if (
    select count(*) >= 6 from public.organization_audit_log a
    where a.organization_id = standing.tenant_id and a.action = 'exported' and a.actor_id is not null and a.created_at > clock_timestamp() - interval '1 hour'
  ) then
    raise exception using errcode = 'VT204', message = 'This tenant was taken out six times within the hour.', hint = 'Try again later, or ask the operator.';
  end if;
  perform set_config('vital.reason', btrim(p_reason), true);
  perform vital.append_audit(standing.tenant_id, 'exported', 'organizations', standing.tenant_id, null);
  return standing.tenant_id;
end
$$;
comment on function vital.record_own_export(text) is 'Notes that an owner takes their tenant''s data out';
grant execute on function vital.record_own_export(text) to authenticated;
