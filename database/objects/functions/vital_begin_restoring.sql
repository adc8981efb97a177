-- owner: vital_definer
-- after: vital_append_audit.sql
-- after: vital_is_operator.sql
--
-- Makes the rest of the transaction one that puts a tenant's rows back as they were: triggers write no audit row for each row,
-- leave times and limits alone, and provide nothing. Instead of those rows there is one, noted here and not at the end, so that
-- nobody writes unseen. What is remembered of the tenant ends with the commit, whichever tables it is about. For operators.
create or replace function vital.begin_restoring(p_organization_id uuid, p_action text, p_changes jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not vital.is_operator() then
    raise exception using errcode = 'VT110', message = 'Only operators may do this.', hint = 'Ask the operator of the platform.';
  end if;
  if p_action not in ('restored', 'cloned') then
    raise exception using errcode = 'VT202', message = 'A tenant is restored or cloned.', hint = 'Name one of both.';
  end if;
  insert into vital.restorations (xid, organization_id) values (pg_current_xact_id(), p_organization_id);
  perform set_config('vital.restoring', 'on', true);
  perform vital.append_audit(p_organization_id, p_action, 'organizations', p_organization_id, p_changes);
  insert into vital.pending_versions (xid, scope, key) values (pg_current_xact_id(), 'tenant', p_organization_id) on conflict do nothing;
end
$$;
comment on function vital.begin_restoring(uuid, text, jsonb) is 'Makes the rest of the transaction one that puts a tenant''s rows back, and audits that';
grant execute on function vital.begin_restoring(uuid, text, jsonb) to service_role;
