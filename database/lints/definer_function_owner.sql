-- title: A security definer function belongs to another role than it may
-- level: error
-- scope: vital
-- kind: function
-- hint: Let vital_definer or vital_sealer own it: they own nothing else.
select f.name as object, 'owned by ' || f.proowner::pg_catalog.regrole::text as detail
from own_function f
where f.prosecdef and f.proowner::pg_catalog.regrole::text not in ('vital_definer', 'vital_sealer')
