-- title: A policy applies to every role, anon included
-- level: error
-- hint: Name the role after TO.
select p.polrelid::pg_catalog.regclass::text as object, p.polname::text as detail
from pg_catalog.pg_policy p
join pg_catalog.pg_class c on c.oid = p.polrelid and c.relnamespace = 'public'::pg_catalog.regnamespace
where 0 = any (p.polroles)
