-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Notes in a tenant's audit log how many of their rows of a table a retention rule let go, in the transaction that let them go. For
-- service_role. Definer, because nobody writes the audit log by hand.
create or replace function vital.record_retention(p_organization_id uuid, p_rule_id uuid, p_table text, p_rows bigint, p_before timestamptz, p_reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('vital.reason', p_reason, true);
  perform vital.append_audit(p_organization_id, 'retained', 'retention_rules', p_rule_id,
    jsonb_build_object('old', jsonb_build_object('table', p_table, 'rows', p_rows, 'older_than', p_before), 'new', null));
end
$$;
comment on function vital.record_retention(uuid, uuid, text, bigint, timestamptz, text) is 'Notes how many rows a retention rule let go';
grant execute on function vital.record_retention(uuid, uuid, text, bigint, timestamptz, text) to service_role;
