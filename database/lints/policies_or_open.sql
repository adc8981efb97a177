-- title: A policy opens what another one of the same table keeps apart
-- level: error
-- scope: any
-- kind: policy
-- hint: Permissive policies are ORed: state the tenant in each of them, or make the common condition a restrictive policy.
select p.table_name as object,
  p.name || ' (' || p.expression || ') says nothing of a tenant or caller and is ORed with '
    || pg_catalog.string_agg(distinct other.name, ', ') || ' for ' || pg_catalog.string_agg(distinct p.role_name, ', ') as detail
from policy_rule p
join policy_rule other
  on other.relation = p.relation and other.policy <> p.policy and other.permissive and (other.asks or other.names_tenant)
  and other.role = p.role and other.command = p.command and other.clause = p.clause
where p.permissive and not p.asks and not p.names_tenant and p.expression <> 'false'
  and not exists (
    select from policy_rule narrowing
    where narrowing.relation = p.relation and not narrowing.permissive and narrowing.names_tenant
      and narrowing.role = p.role and narrowing.command = p.command and narrowing.clause = p.clause)
group by p.policy, p.table_name, p.name, p.clause, p.expression
union all
select p.table_name,
  p.name || ' (' || p.expression || ') has an alternative that says nothing of a tenant or caller, for ' || pg_catalog.string_agg(distinct p.role_name, ', ')
from policy_rule p
join policy_token root on root.policy = p.policy and root.clause = p.clause and root.n = 1 and root.token = '{BOOLEXPR'
join policy_token operator on operator.policy = p.policy and operator.clause = p.clause and operator.n = 2 and operator.token = ':boolop or'
join tenant_table t on t.oid = p.relation
where p.permissive and (p.asks or p.names_tenant)
  and exists (
    select from policy_token arm
    cross join lateral (
      select pg_catalog.min(e.n) as last from policy_token e
      where e.policy = arm.policy and e.clause = arm.clause and e.n > arm.n and e.token = '}' and e.depth = 1
    ) x
    where arm.policy = p.policy and arm.clause = p.clause and arm.token like '{%' and arm.depth = 2
      and not exists (select from policy_call f where f.policy = p.policy and f.clause = p.clause and f.n between arm.n and x.last)
      and not exists (select from policy_column v where v.policy = p.policy and v.clause = p.clause and v.n between arm.n and x.last
        and v.inward = v.outward and v.attnum = t.tenant_attnum)
      and not exists (select from policy_token s where s.policy = p.policy and s.clause = p.clause and s.n between arm.n and x.last
        and s.token in ('{SUBLINK', '{SQLVALUEFUNCTION')))
  and not exists (
    select from policy_rule narrowing
    where narrowing.relation = p.relation and not narrowing.permissive and narrowing.names_tenant
      and narrowing.role = p.role and narrowing.command = p.command and narrowing.clause = p.clause)
group by p.policy, p.table_name, p.name, p.clause, p.expression
