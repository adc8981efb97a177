-- title: A policy calls a function for every row
-- level: warning
-- scope: any
-- kind: policy
-- hint: Write (select f()) or any (array(select f())): it then runs once a statement. A function of the row's columns becomes a set of the caller's.
select p.table_name as object,
  p.name || ': ' || pg_catalog.string_agg(distinct f.function::pg_catalog.regprocedure::text, ', ') || ' in ' || f.clause as detail
from policy p
join policy_call f on f.policy = p.oid
where not f.once and p.oid in (select r.policy from policy_role r)
group by p.oid, p.table_name, p.name, f.clause
