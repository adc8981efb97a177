-- title: A table of tenants' rows has no row-level security in force
-- level: error
-- scope: any
-- kind: table
-- hint: ALTER TABLE … ENABLE ROW LEVEL SECURITY, and a policy for each command that is meant.
select c.name as object,
  case when exists (select from policy p where p.relation = c.oid) then 'its policies do nothing: row-level security is off; '
    else 'no row-level security; ' end
  || 'reachable by ' || pg_catalog.string_agg(distinct r.role_name, ', ') as detail
from relation c
join reach r on r.relation = c.oid
where c.relkind in ('r', 'p') and not c.relrowsecurity
  and (
    c.oid in (select t.oid from tenant_table t)
    or c.oid in (select p.relation from policy p)
    or exists ( -- the tenants themselves, and what hangs on a row of theirs
      select from pg_catalog.pg_constraint k
      join tenant_table t on t.oid in (k.conrelid, k.confrelid)
      where k.contype = 'f' and (k.confrelid = c.oid and k.conkey = array[t.tenant_attnum] or k.conrelid = c.oid and t.oid = k.confrelid)))
group by c.oid, c.name
