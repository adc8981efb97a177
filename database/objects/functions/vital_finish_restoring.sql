-- owner: vital_definer
-- after: vital_is_operator.sql
--
-- Ends what vital.begin_restoring began, and adds to its audit row what was done. For operators.
create or replace function vital.finish_restoring(p_changes jsonb) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid;
begin
  if not vital.is_operator() then
    raise exception using errcode = 'VT110', message = 'Only operators may do this.', hint = 'Ask the operator of the platform.';
  end if;
  delete from vital.restorations r where r.xid = pg_current_xact_id() returning r.organization_id into tenant;
  update vital.pending_audit p set changes = p.changes || p_changes
  where p.xid = pg_current_xact_id() and p.organization_id = tenant and p.action in ('restored', 'cloned');
  perform set_config('vital.restoring', '', true);
end
$$;
comment on function vital.finish_restoring(jsonb) is 'Ends a transaction''s putting back of a tenant''s rows';
grant execute on function vital.finish_restoring(jsonb) to service_role;
