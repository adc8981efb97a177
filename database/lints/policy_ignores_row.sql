-- title: A policy asks who the caller is and not whose the row is
-- level: risk
-- scope: any
-- kind: policy
-- hint: Whoever passes sees every tenant. Compare the tenant column too, unless that is what an operator's role is for.
select p.table_name as object,
  p.name || ': ' || p.clause || ' (' || p.expression || ') for ' || pg_catalog.string_agg(distinct p.role_name, ', ') as detail
from policy_rule p
join tenant_table t on t.oid = p.relation and not t.excepted
where p.permissive and p.asks and p.columns = '{}'
  and not exists (
    select from policy_rule narrowing
    where narrowing.relation = p.relation and not narrowing.permissive and narrowing.names_tenant
      and narrowing.role = p.role and narrowing.command = p.command and narrowing.clause = p.clause)
group by p.policy, p.table_name, p.name, p.clause, p.expression
