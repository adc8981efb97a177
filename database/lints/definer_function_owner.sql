-- title: A security definer function belongs to another role than it may
-- level: error
-- scope: vital
-- kind: function
-- hint: Let vital_definer or vital_sealer own it: they own nothing else. What makes and drops tables is vital_owner's, and no tenant may call it.
select f.name as object, 'owned by ' || f.proowner::pg_catalog.regrole::text as detail
from own_function f
where f.prosecdef and f.proowner::pg_catalog.regrole::text not in ('vital_definer', 'vital_sealer')
  and not (f.proowner::pg_catalog.regrole::text = 'vital_owner'
    and not pg_catalog.has_function_privilege('anon', f.oid, 'execute') and not pg_catalog.has_function_privilege('authenticated', f.oid, 'execute'))
