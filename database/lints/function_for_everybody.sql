-- title: Everybody may execute a function
-- level: error
-- hint: Revoke EXECUTE from PUBLIC and grant it in the function's own file.
select p.oid::pg_catalog.regprocedure::text as object, 'EXECUTE is granted to PUBLIC' as detail
from pg_catalog.pg_proc p
where p.pronamespace in ('public'::pg_catalog.regnamespace, 'vital'::pg_catalog.regnamespace)
  and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
  and exists (
    select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE'
  )
