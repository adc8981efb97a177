-- owner: vital_definer
-- after: vital_retainable.sql
-- after: vital_audit_kept_least.sql
-- after: vital_append_audit.sql
--
-- Says how long rows of a table are kept, of one tenant or (null) of all that have no rule of their own, in place of what was said before. A
-- tenant's audit log is not kept shorter than the law has it. It is told in the tenant's audit log, else in the platform's. For operators.
-- Definer, because nobody else writes rules.
create or replace function vital.set_retention(
  p_organization_id uuid, p_schema text, p_table text, p_age_column text, p_keep interval, p_reason text
) returns vital.retention_rules
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  previous vital.retention_rules;
  rule vital.retention_rules;
begin
  perform vital.retainable(p_schema, p_table, p_age_column);
  if p_keep is null or p_keep < interval '1 day' or coalesce(btrim(p_reason), '') = '' then
    raise exception using errcode = 'VT202', message = 'Rows are kept for a day or more, and for a reason.', hint = 'Give both.';
  end if;
  if p_organization_id is not null and not exists (select from public.organizations o where o.id = p_organization_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = 'Name one by slug or id.';
  end if;
  if (p_schema, p_table) = ('public', 'organization_audit_log') and p_keep < vital.audit_kept_least(p_organization_id) then
    raise exception using errcode = 'VT203', message = 'The audit log of this tenant is kept for six years or more: it is under HIPAA.',
      hint = 'Keep it longer; or change compliance_settings.hipaa_enabled, if the tenant is not under it.';
  end if;
  perform set_config('vital.reason', btrim(p_reason), true);
  select r.* into previous from vital.retention_rules r
  where (r.table_schema, r.table_name) = (p_schema, p_table) and r.organization_id = coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001')
  for update;
  insert into vital.retention_rules as r (organization_id, table_schema, table_name, age_column, keep, reason)
  values (coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), p_schema, p_table, p_age_column, p_keep, btrim(p_reason))
  on conflict (table_schema, table_name, organization_id) do update
  set age_column = excluded.age_column, keep = excluded.keep, reason = excluded.reason, set_by = excluded.set_by, set_at = now()
  returning r.* into rule;
  perform vital.append_audit(coalesce(p_organization_id, '00000000-0000-0000-0000-000000000001'), 'retention_set', 'retention_rules', rule.id,
    jsonb_build_object('old', case when previous.id is not null then to_jsonb(previous) end, 'new', to_jsonb(rule)));
  return rule;
end
$$;
comment on function vital.set_retention(uuid, text, text, text, interval, text) is 'Says how long rows of a table are kept';
grant execute on function vital.set_retention(uuid, text, text, text, interval, text) to service_role;
