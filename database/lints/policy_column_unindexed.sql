-- title: A policy compares a column no index begins with
-- level: warning
-- scope: any
-- kind: policy
-- hint: CREATE INDEX … (column, …): without one every request reads the whole table, all tenants' rows.
select p.table_name as object, p.name || ': ' || pg_catalog.string_agg(a.attname::text, ', ' order by a.attnum) as detail
from policy p
join policy_subject c on c.policy = p.oid and c.clause = 'using'
join pg_catalog.pg_attribute a on a.attrelid = p.relation and a.attnum = any (c.columns) and a.atttypid <> 'pg_catalog.bool'::pg_catalog.regtype
cross join lateral (
  select exists (
    select from pg_catalog.pg_index i
    where i.indrelid = p.relation and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum) as leads
) x
where p.oid in (select r.policy from policy_role r)
group by p.oid, p.table_name, p.name
-- of columns that are ANDed one index is enough, of those ORed each needs its own
having not pg_catalog.bool_or(x.leads)
  or not pg_catalog.bool_and(x.leads)
    and exists (select from policy_token t where t.policy = p.oid and t.clause = 'using' and t.token = ':boolop or'
      and not exists (select from policy_span s where s.policy = t.policy and s.clause = t.clause and t.n between s.first and s.last))
