-- title: A rule writes with its table owner's rights
-- level: error
-- scope: any
-- kind: rule
-- hint: Drop it. A trigger that is not security definer does the same as the caller.
select c.name as object,
  w.rulename || ' on ' || case w.ev_type when '2' then 'update' when '3' then 'insert' when '4' then 'delete' else 'select' end
    || ', fired by ' || pg_catalog.string_agg(distinct r.role_name, ', ') as detail
from relation c
join pg_catalog.pg_rewrite w on w.ev_class = c.oid and w.ev_type <> '1'
join reach r on r.relation = c.oid and r.writable
where pg_catalog.pg_get_ruledef(w.oid) !~* 'do instead nothing;?$'
group by c.oid, c.name, w.rulename, w.ev_type
