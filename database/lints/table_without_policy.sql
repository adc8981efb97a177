-- title: A table has row-level security and no policy, so no request reads it
-- level: warning
-- scope: any
-- kind: table
-- hint: Write the policies it needs; where nobody is meant to reach it, revoke the privileges too, which says so.
select c.name as object, 'no policy' as detail
from relation c
where c.relkind in ('r', 'p') and c.relrowsecurity
  and not exists (select from policy p where p.relation = c.oid)
  and exists (select from reach r where r.relation = c.oid)
