-- title: The server's login has a privilege of its own
-- level: error
-- scope: vital
-- kind: table
-- hint: vital_api works as anon or authenticated only; injected SQL can RESET ROLE and must find nothing. Revoke it.
select c.oid::pg_catalog.regclass::text as object, 'vital_api: ' || pg_catalog.string_agg(distinct a.privilege_type, ', ') as detail
from pg_catalog.pg_class c
cross join lateral pg_catalog.aclexplode(c.relacl) a
where c.relnamespace in ('public'::pg_catalog.regnamespace, 'vital'::pg_catalog.regnamespace)
  and a.grantee in (0, 'vital_api'::pg_catalog.regrole)
group by c.oid
union all
select c.oid::pg_catalog.regclass::text, 'owned by vital_api'
from pg_catalog.pg_class c
where c.relowner = 'vital_api'::pg_catalog.regrole
