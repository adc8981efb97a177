-- title: A security definer function can be turned against its owner
-- level: error
-- hint: Let vital_definer or vital_sealer own it and set search_path = pg_catalog, pg_temp.
select p.oid::pg_catalog.regprocedure::text as object,
  case
    when p.proowner::pg_catalog.regrole::text not in ('vital_definer', 'vital_sealer') then 'owned by ' || p.proowner::pg_catalog.regrole::text
    else 'search_path is not pg_catalog, pg_temp'
  end as detail
from pg_catalog.pg_proc p
where p.pronamespace in ('public'::pg_catalog.regnamespace, 'vital'::pg_catalog.regnamespace)
  and p.prosecdef
  and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
  and (
    not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)
    or p.proowner::pg_catalog.regrole::text not in ('vital_definer', 'vital_sealer')
  )
