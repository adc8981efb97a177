-- title: A policy asks a subquery that cannot be unwrapped
-- level: notice
-- scope: any
-- kind: policy
-- hint: Policies of distributed tables take no subqueries. The literal form (select f()) becomes f() when they are distributed; any other must first be put into a function.
select p.table_name as object, p.name || ' (' || c.clause || '): ' || c.expression || case
    when n.queries = n.plain and n.ctes = 0 then ' asks for a set; let a stable function return an array, and alter policy '
    else ' reads more than a function; put it into a stable function, and alter policy '
  end || pg_catalog.quote_ident(p.name) || ' on ' || p.table_name as detail
from policy p
join distributed d on d.oid = p.relation
join policy_clause c on c.policy = p.oid
cross join lateral (
  select pg_catalog.regexp_count(c.tree, '\{SUBLINK') as links, pg_catalog.regexp_count(c.tree, ':subLinkType 4 ') as literal,
    pg_catalog.regexp_count(c.tree, '\{QUERY') as queries, pg_catalog.regexp_count(c.tree, '\{FROMEXPR :fromlist <> :quals <>') as plain,
    pg_catalog.regexp_count(c.tree, ':cteList \(|:setOperations \{|:limitCount \{') as ctes
) n
where n.links <> n.literal or n.queries <> n.plain or n.ctes > 0
