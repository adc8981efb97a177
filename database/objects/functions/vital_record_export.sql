-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Notes that a tenant's data is being taken out, in that tenant's audit log, with the reason given: before the first row is read, so
-- that none leaves without. For operators. Definer, because nobody writes the audit log by hand.
create or replace function vital.record_export(p_organization_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.organizations o where o.id = p_organization_id;
  if not found then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  perform vital.append_audit(p_organization_id, 'exported', 'organizations', p_organization_id, null);
end
$$;
comment on function vital.record_export(uuid) is 'Notes that a tenant''s data is being taken out';
grant execute on function vital.record_export(uuid) to service_role;
