-- owner: vital_definer
-- after: vital_append_audit.sql
--
-- Takes a rule back: of one tenant, for whom the one for all tenants holds again, or (null) that one. Returns whether there was one. For
-- operators. Definer, because nobody else writes rules.
create or replace function vital.remove_retention(p_organization_id uuid, p_schema text, p_table text, p_reason text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  rule vital.retention_rules;
begin
  perform set_config('vital.reason', btrim(p_reason), true);
  delete from vital.retention_rules r
  where (r.table_schema, r.table_name) = (p_schema, p_table) and r.organization_id = coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001')
  returning r.* into rule;
  if rule.id is null then
    return false;
  end if;
  perform vital.append_audit(coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), 'retention_removed', 'retention_rules', rule.id,
    jsonb_build_object('old', to_jsonb(rule), 'new', null));
  return true;
end
$$;
comment on function vital.remove_retention(uuid, text, text, text) is 'Takes back how long rows of a table are kept';
grant execute on function vital.remove_retention(uuid, text, text, text) to service_role;
