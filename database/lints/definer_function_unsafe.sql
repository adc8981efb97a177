-- title: A security definer function can be turned against its owner
-- level: error
-- scope: any
-- kind: function
-- hint: ALTER FUNCTION … SET search_path = pg_catalog, pg_temp, and qualify every other name. pg_temp comes last: unnamed, it is searched first.
select f.name as object,
  case
    when path.setting is null then 'search_path is the caller''s'
    when path.schemas[pg_catalog.cardinality(path.schemas)] is distinct from 'pg_temp' then 'search_path (' || path.setting || ') does not end in pg_temp, so temporary objects come first'
    else 'search_path (' || path.setting || ') has a schema where a request may create objects'
  end as detail
from own_function f
left join lateral (
  select substring(o.option from '^search_path=(.*)$') as setting,
    pg_catalog.regexp_split_to_array(pg_catalog.replace(substring(o.option from '^search_path=(.*)$'), '"', ''), '\s*,\s*') as schemas
  from pg_catalog.unnest(f.proconfig) as o(option)
  where o.option like 'search\_path=%'
) path on true
where f.prosecdef and (
  path.setting is null
  or path.schemas[pg_catalog.cardinality(path.schemas)] is distinct from 'pg_temp'
  or exists (
    select from pg_catalog.pg_namespace n
    where n.nspname = any (path.schemas) and (
      exists (select from pg_catalog.aclexplode(n.nspacl) a where a.grantee = 0 and a.privilege_type = 'CREATE')
      or exists (select from request_role r where not r.rolsuper and pg_catalog.has_schema_privilege(r.oid, n.oid, 'create')))))
