-- title: What is created next will be open to requests
-- level: risk
-- scope: any
-- kind: default privilege
-- hint: ALTER DEFAULT PRIVILEGES … REVOKE …: grant each table with the policies that narrow it.
select coalesce('schema ' || n.nspname, 'every schema') as object,
  case d.defaclobjtype when 'r' then 'tables' else 'functions' end || ' of ' || d.defaclrole::pg_catalog.regrole::text || ': '
    || pg_catalog.string_agg(distinct a.privilege_type, ', ') || ' to ' || coalesce(r.name, 'PUBLIC') as detail
from pg_catalog.pg_default_acl d
left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
cross join scope s
cross join lateral pg_catalog.aclexplode(d.defaclacl) a
left join request_role r on r.oid = a.grantee
where d.defaclobjtype in ('r', 'f') and (n.nspname is null or n.nspname = any (s.schemas))
  and (a.grantee = 0 or r.oid is not null) and a.grantee <> d.defaclrole
group by n.nspname, d.defaclobjtype, d.defaclrole, r.name
