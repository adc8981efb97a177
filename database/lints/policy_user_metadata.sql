-- title: A policy believes what users write about themselves
-- level: error
-- scope: any
-- kind: policy
-- hint: Read app_metadata, which only the sign-in service writes, or a table of members.
select p.table_name as object, p.name || ' reads ' || f.source || ' in ' || f.place as detail
from policy p
join lateral (
  select substring(c.expression from '(raw_user_meta_data|user_metadata)') as source, c.clause as place
  from policy_clause c where c.policy = p.oid
  union
  select substring(o.prosrc from '(raw_user_meta_data|user_metadata)'), o.name
  from policy_function f join own_function o on o.oid = f.oid where f.policy = p.oid
) f on f.source is not null
