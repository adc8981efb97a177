-- title: An UPDATE may give a row to another tenant
-- level: error
-- scope: any
-- kind: policy
-- hint: Repeat the tenant in WITH CHECK, or leave WITH CHECK out: USING then holds for the new row too.
select before.table_name as object,
  before.name || ': using (' || before.expression || ') with check (' || after.expression || ')' as detail
from policy_rule before
join policy_rule after
  on after.policy = before.policy and after.role = before.role and after.command = before.command and after.clause = 'with check'
where before.command = 'update' and before.clause = 'using' and before.permissive
  and before.names_tenant and not after.names_tenant and after.expression <> 'false'
  and not exists (
    select from policy_rule narrowing
    where narrowing.relation = before.relation and not narrowing.permissive and narrowing.names_tenant
      and narrowing.role = before.role and narrowing.command = 'update'
      and (narrowing.clause = 'with check' or not exists (
        select from policy_rule checked where checked.policy = narrowing.policy and checked.clause = 'with check')))
group by before.policy, before.table_name, before.name, before.expression, after.expression
