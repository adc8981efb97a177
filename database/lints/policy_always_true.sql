-- title: A policy lets every row of a tenants' table through
-- level: error
-- scope: any
-- kind: policy
-- hint: Compare the tenant column with the caller's tenant, in USING and in WITH CHECK.
select p.table_name as object,
  p.name || ': ' || p.clause || ' (' || p.expression || ') for ' || pg_catalog.string_agg(distinct p.role_name, ', ') as detail
from policy_rule p
where p.permissive and not p.asks and p.columns = '{}' and p.expression <> 'false'
  and not exists (
    select from policy_rule narrowing
    where narrowing.relation = p.relation and not narrowing.permissive and narrowing.names_tenant
      and narrowing.role = p.role and narrowing.command = p.command and narrowing.clause = p.clause)
group by p.policy, p.table_name, p.name, p.clause, p.expression
