-- owner: vital_definer
-- after: vital_retainable.sql
-- after: vital_audit_kept_least.sql
-- after: vital_held_tenant_ids.sql
--
-- Which rows may go now: for each rule whose they are and how old they must be. A rule for all tenants leaves out those with their own, and
-- those that are held; audit logs that the law has kept longer have a step of their own. A rule whose table is gone, or is not what it was, says
-- so in problem. For service_role. Definer, because it reads configurations and holds.
create or replace function vital.retention_plan(p_now timestamptz default now())
returns table (
  rule_id uuid, table_schema text, table_name text, tenant_column text, key_columns text[], key_types text[], age_column text, age_type text,
  tenant_id uuid, except_tenants uuid[], before timestamptz, reason text, problem text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  rule vital.retention_rules;
  held constant uuid[] := array(select h from vital.held_tenant_ids() h);
  apart uuid[];
  tenant uuid;
begin
  for rule in select r.* from vital.retention_rules r order by r.table_schema, r.table_name, r.organization_id = '00000000-0000-0000-0000-000000000001', r.organization_id loop
    rule_id := rule.id; table_schema := rule.table_schema; table_name := rule.table_name; age_column := rule.age_column; reason := rule.reason;
    tenant_id := nullif(rule.organization_id, '00000000-0000-0000-0000-000000000001'); except_tenants := '{}'; before := p_now - rule.keep; problem := null;
    begin
      select t.* into tenant_column, key_columns, key_types, age_type from vital.retainable(rule.table_schema, rule.table_name, rule.age_column) t;
    exception when sqlstate 'VT202' or sqlstate 'VT205' then
      problem := sqlerrm; -- which is ours
      tenant_column := null; key_columns := null; key_types := null; age_type := null;
    end;
    continue when tenant_id = any (held);
    if (table_schema, table_name) = ('public', 'organization_audit_log') and problem is null then
      if tenant_id is not null then
        before := p_now - greatest(rule.keep, vital.audit_kept_least(tenant_id));
      elsif rule.keep < interval '6 years' then
        apart := array(select c.tenant_id from public.tenant_configurations c where c.compliance_settings ->> 'hipaa_enabled' = 'true');
        before := p_now - interval '6 years';
        foreach tenant in array apart loop
          continue when tenant = any (held)
            or exists (select from vital.retention_rules o where (o.table_schema, o.table_name) = (rule.table_schema, rule.table_name) and o.organization_id = tenant);
          tenant_id := tenant;
          return next;
        end loop;
        tenant_id := null;
        except_tenants := apart;
        before := p_now - rule.keep;
      end if;
    end if;
    if tenant_id is null then
      except_tenants := except_tenants || held || array(
        select o.organization_id from vital.retention_rules o
        where (o.table_schema, o.table_name) = (rule.table_schema, rule.table_name) and o.organization_id <> '00000000-0000-0000-0000-000000000001');
    end if;
    return next;
  end loop;
end
$$;
comment on function vital.retention_plan(timestamptz) is 'Which rows may go now, and whose they are';
grant execute on function vital.retention_plan(timestamptz) to service_role, vital_owner; -- who drops partitions
