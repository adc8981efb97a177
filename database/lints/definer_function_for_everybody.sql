-- title: Everybody may execute a security definer function
-- level: error
-- scope: any
-- kind: function
-- hint: Revoke EXECUTE from PUBLIC, and grant it to the roles that need it.
select f.name as object, 'EXECUTE is granted to PUBLIC; it runs as ' || f.proowner::pg_catalog.regrole::text as detail
from own_function f
where f.prosecdef
  and f.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype) -- nobody can call those
  and exists (
    select from pg_catalog.aclexplode(coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE')
