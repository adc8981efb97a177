-- title: A policy applies to every role, anon included
-- level: error
-- scope: vital
-- kind: policy
-- hint: Name the role after TO.
select p.table_name as object, p.name as detail
from policy p
where 0 = any (p.roles) and p.table_name like 'public.%'
