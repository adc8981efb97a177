-- title: A policy of a tenants' table asks neither whose the row is nor who the caller is
-- level: error
-- scope: any
-- kind: policy
-- hint: Add the tenant: … and tenant_id = (select …).
select p.table_name as object,
  p.name || ': ' || p.clause || ' (' || p.expression || ') for ' || pg_catalog.string_agg(distinct p.role_name, ', ') as detail
from policy_rule p
where p.permissive and not p.asks and not p.names_tenant and p.columns <> '{}'
  and not exists ( -- what other policies narrow is found by policies_or_open
    select from policy_rule other
    where other.relation = p.relation and other.policy <> p.policy and (other.asks or other.names_tenant)
      and other.role = p.role and other.command = p.command and other.clause = p.clause)
  and not exists ( -- an update that loses the tenant half-way is found by update_moves_tenant
    select from policy_rule same where same.policy = p.policy and same.clause <> p.clause and same.names_tenant)
group by p.policy, p.table_name, p.name, p.clause, p.expression
