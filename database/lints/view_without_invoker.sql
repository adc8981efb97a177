-- title: A view shows rows by its owner's policies
-- level: error
-- scope: any
-- kind: view
-- hint: ALTER VIEW … SET (security_invoker = true).
select c.name as object,
  'shows ' || v.tables || ' as ' || o.rolname || case when o.rolsuper or o.rolbypassrls then ', who is bound by no policy,' else '' end
    || ' to ' || pg_catalog.string_agg(distinct r.role_name, ', ') as detail
from relation c
join view_of_rows v on v.view = c.oid
join pg_catalog.pg_roles o on o.oid = c.relowner
join reach r on r.relation = c.oid
where c.relkind = 'v'
  and not coalesce((
    select pg_catalog.bool_or(x.option_value::pg_catalog.bool) from pg_catalog.pg_options_to_table(c.reloptions) x where x.option_name = 'security_invoker'), false)
group by c.oid, c.name, v.tables, o.rolname, o.rolsuper, o.rolbypassrls
