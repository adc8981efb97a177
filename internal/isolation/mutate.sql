Mutants: changes that open a database a little, each of which the suite must notice. Every query returns
the kind, the relation or function it is about ('' for none), a name, and the DDL.

-- name: PolicyMutants
select m.kind, n.nspname || '.' || c.relname, p.polname || ' on ' || n.nspname || '.' || c.relname, m.ddl
from pg_catalog.pg_policy p
join pg_catalog.pg_class c on c.oid = p.polrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
-- Where no column decides and USING asks the same, whoever passes the one passes the other: no other database.
cross join lateral (select p.polcmd = 'w' and pg_catalog.pg_get_expr(p.polqual, p.polrelid) = pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid and d.refobjsubid > 0) as same) e
cross join lateral (values
  ('policy dropped', pg_catalog.format('drop policy %I on %I.%I', p.polname, n.nspname, c.relname)),
  ('USING turned to true', case when p.polqual is not null then pg_catalog.format('alter policy %I on %I.%I using (true)', p.polname, n.nspname, c.relname) end),
  ('WITH CHECK removed', case when p.polwithcheck is not null and not e.same then pg_catalog.format('alter policy %I on %I.%I with check (true)', p.polname, n.nspname, c.relname) end)
) m(kind, ddl)
where n.nspname = any ($1) and m.ddl is not null
order by 1, 2, 3;

-- name: TableMutants
select m.kind, n.nspname || '.' || c.relname, n.nspname || '.' || c.relname, m.ddl
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join lateral (values
  ('row-level security off', case when c.relrowsecurity then pg_catalog.format('alter table %I.%I disable row level security', n.nspname, c.relname) end),
  ('FORCE off', case when c.relforcerowsecurity then pg_catalog.format('alter table %I.%I no force row level security', n.nspname, c.relname) end),
  ('view reads as its owner', case when c.relkind = 'v' then pg_catalog.format('alter view %I.%I set (security_invoker = false)', n.nspname, c.relname) end)
) m(kind, ddl)
where c.relkind in ('r', 'p', 'v') and not c.relispartition and n.nspname = any ($1) and m.ddl is not null
order by 1, 2;

-- name: GrantMutants
select 'grant widened', n.nspname || '.' || c.relname, p.privilege || ' on ' || n.nspname || '.' || c.relname || ' to ' || r.role,
  pg_catalog.format('grant %s on %I.%I to %I', p.privilege, n.nspname, c.relname, r.role)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join pg_catalog.unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p(privilege)
cross join pg_catalog.unnest($2::pg_catalog.text[]) r(role)
where c.relkind in ('r', 'p', 'v') and not c.relispartition and n.nspname = any ($1)
  and not pg_catalog.has_table_privilege(r.role::name, c.oid, p.privilege)
  and (c.relkind <> 'v' or p.privilege in ('select', 'insert', 'update', 'delete'))
order by 2, 3;

-- name: ExecuteMutants
select 'execute granted', n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
  p.oid::pg_catalog.regprocedure::text || ' to ' || r.role,
  pg_catalog.format('grant execute on routine %s to %I', p.oid::pg_catalog.regprocedure, r.role)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
cross join pg_catalog.unnest($1::pg_catalog.text[]) r(role)
where p.prokind in ('f', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
  and pg_catalog.has_schema_privilege(r.role::name, n.oid, 'usage')
  and not pg_catalog.has_function_privilege(r.role::name, p.oid, 'execute')
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
order by 2, 3;

-- name: WeakenedHelpers
-- The functions policies call, and what those and the exposed functions check with.
select p.oid, n.nspname::text, p.proname::text, pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and p.prokind = 'f'
  and (p.proname ~ '^require_' and 'pg_catalog.pg_lsn'::pg_catalog.regtype <> all (p.proargtypes) -- how far a log is stands between nobody and a row
    or exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = p.oid))
order by 2, 3;

-- name: SchemaMutants
select m.kind, '', m.name, m.ddl
from (values
  ('new table', 'without row-level security and policies', 'create table public.mutant (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id)); grant select on public.mutant to {signed_in}'),
  ('new view', 'that reads as its owner', 'create view public.mutant as select * from {some_table}; grant select on public.mutant to {signed_in}'),
  ('new view', 'that is stored', 'create materialized view public.mutant as select * from {some_table}; grant select on public.mutant to {signed_in}'),
  ('new function', 'that is a definer''s and checks nobody', 'create function public.mutant() returns setof {some_table} language sql security definer as ''select * from {some_table}''; grant execute on function public.mutant() to {signed_in}'),
  ('new function', 'for everybody', 'create function public.mutant() returns int language sql as ''select 1''; grant execute on function public.mutant() to public'),
  ('new key', 'that is unique across tenants', 'create unique index mutant on {some_table} ({some_column})'),
  ('tenant column', 'nullable', 'alter table {some_child} alter {tenant_column} drop not null')
) m(kind, name, ddl);
