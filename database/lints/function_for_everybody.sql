-- title: Everybody may execute a function
-- level: error
-- scope: vital
-- kind: function
-- hint: Revoke EXECUTE from PUBLIC and grant it in the function's own file.
select f.name as object, 'EXECUTE is granted to PUBLIC' as detail
from own_function f
where f.name similar to '(public|vital).%'
  and exists (
    select from pg_catalog.aclexplode(coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE')
