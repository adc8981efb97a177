-- title: Reading a table runs into its own policy again
-- level: error
-- scope: any
-- kind: policy
-- hint: Every statement fails with 42P17. Ask the other table through a security definer function, or keep the answer in a claim.
select c.name as object, 'its policy ' || pg_catalog.string_agg(distinct e.policy_name, ', ') || ' reads ' || pg_catalog.string_agg(distinct e.target::pg_catalog.regclass::text, ', ')
    || ', which leads back' as detail
from (
  with recursive edge as (
    select distinct p.relation as source, p.name as policy_name, r.role, b.oid as target, 'select' = any (p.commands) as reading
    from policy p
    join policy_role r on r.policy = p.oid
    join policy_token t on t.policy = p.oid and t.token like ':relid %'
    join pg_catalog.pg_class b on b.oid = substring(t.token from '[0-9]+')::pg_catalog.oid and b.relrowsecurity
    where p.enforced
  ), path (start, policy_name, role, target, first) as (
    select e.source, e.policy_name, e.role, e.target, e.target from edge e where e.reading
    union
    select x.start, x.policy_name, x.role, e.target, x.first from path x join edge e on e.source = x.target and e.role = x.role and e.reading
  )
  select x.start, x.policy_name, x.first as target from path x where x.target = x.start
) e
join relation c on c.oid = e.start
group by c.name
