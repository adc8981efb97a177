What the prover reads of the catalog.

-- name: PinSearchPath
select pg_catalog.set_config('search_path', '', true)

-- name: Guards
-- Every table, its policies for role $1 as one JSON array. A policy is for whoever has the privileges of one of
-- its roles; 0 is everybody.
select
  n.nspname || '.' || c.relname as relation,
  c.relrowsecurity and not r.rolsuper and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_catalog.pg_has_role(r.oid, c.relowner, 'usage')) as applies,
  coalesce((
    select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'Name', p.polname,
        'Command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        'Permissive', p.polpermissive,
        'Roles', (select pg_catalog.jsonb_agg(case x.role when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(x.role) end)
          from pg_catalog.unnest(p.polroles) as x (role)),
        'Using', coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''),
        'Check', coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
      ) order by p.polname)
    from pg_catalog.pg_policy p
    where p.polrelid = c.oid
      and exists (
        select from pg_catalog.unnest(p.polroles) as x (role)
        where case x.role when 0 then true else pg_catalog.pg_has_role(r.oid, x.role, 'usage') end
      )
  ), '[]') as policies
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_roles r on r.rolname = $1
where c.relkind in ('r', 'p') and n.nspname = any ($2)
order by relation

-- name: Tables
-- Columns, what those that are a foreign key by themselves refer to, and the columns of each unique key.
select
  n.nspname || '.' || c.relname as name,
  (select pg_catalog.array_agg(a.attname::text order by a.attnum) from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  coalesce((
    select pg_catalog.jsonb_object_agg(a.attname, fn.nspname || '.' || f.relname)
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
    join pg_catalog.pg_class f on f.oid = k.confrelid
    join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
    where k.conrelid = c.oid and k.contype = 'f' and pg_catalog.cardinality(k.conkey) = 1
  ), '{}') as "references",
  coalesce((
    select pg_catalog.jsonb_agg((
      select pg_catalog.jsonb_agg(a.attname) from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) as x (number)
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = x.number))
    from pg_catalog.pg_index i
    where i.indrelid = c.oid and i.indisunique and i.indpred is null and i.indexprs is null and i.indnkeyatts = i.indnatts
  ), '[]') as keys
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname = any ($1)
order by name

-- name: Helpers
-- The functions without arguments that are not the system's own. A search path that is not the function's own is
-- that of who calls it.
select
  n.nspname || '.' || p.proname as name, l.lanname as language,
  coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as body,
  coalesce(exists (select from pg_catalog.unnest(p.proconfig) as c (setting) where c.setting like 'search_path=%' and c.setting not like '%$user%'), false)
    or p.prosqlbody is not null as pinned
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.pronargs = 0 and p.prokind = 'f' and n.nspname not in ('pg_catalog', 'information_schema')
order by name
