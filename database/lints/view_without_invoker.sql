-- title: A view or materialized view reads with its owner's rights
-- level: error
-- hint: Make the view with (security_invoker = true); a materialized view has no policies, revoke it from application roles.
select c.oid::pg_catalog.regclass::text as object,
  case c.relkind when 'm' then 'materialized view readable by an application role' else 'not security_invoker' end as detail
from pg_catalog.pg_class c
where c.relnamespace in ('public'::pg_catalog.regnamespace, 'vital'::pg_catalog.regnamespace)
  and (
    (c.relkind = 'v' and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false))
    or (c.relkind = 'm' and (
      pg_catalog.has_table_privilege('anon', c.oid, 'select') or pg_catalog.has_table_privilege('authenticated', c.oid, 'select')))
  )
  and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
