What Explain asks. Everything runs as the operator with no schema but pg_catalog on the search path, except what
ends in Statement: those return a statement with its names quoted, to be run as the caller or the operator.

-- name: ExplainOperator
select
  pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
  pg_catalog.set_config('row_security', 'off', true),
  pg_catalog.set_config('statement_timeout', '30000', true),
  pg_catalog.set_config('lock_timeout', '5000', true);

-- name: ExplainSet
select pg_catalog.set_config($1, $2, true);

-- name: ExplainRelations
select c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  and $1::text in (c.relname, pg_catalog.quote_ident(c.relname), n.nspname || '.' || c.relname,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))
order by n.nspname <> 'public', n.nspname;

-- name: ExplainRelationNames
select case when n.nspname = 'public' then c.relname::text else n.nspname || '.' || c.relname end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
order by 1
limit 5000;

-- name: ExplainViewReads
-- The tables a view reads, through other views too, and as whom it does: as the caller, or as its owner.
with recursive reads(oid) as (
  select $1::pg_catalog.oid
  union
  select d.refobjid
  from reads v
  join pg_catalog.pg_rewrite r on r.ev_class = v.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
select
  coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false),
  pg_catalog.pg_get_userbyid(v.relowner)::text,
  n.nspname || '.' || t.relname
from reads
join pg_catalog.pg_class t on t.oid = reads.oid and t.relkind in ('r', 'p', 'f')
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
join pg_catalog.pg_class v on v.oid = $1
order by 3;

-- name: ExplainColumns
-- equality is the schema of the operator by which the type's own index finds a value; any other could be
-- somebody's function, run here with the operator's power.
select
  a.attname::text as name,
  pg_catalog.format_type(a.atttypid, -1) as type,
  coalesce((
    select o.oprnamespace::pg_catalog.regnamespace::text
    from pg_catalog.pg_opclass c
    join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3
      and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
    join pg_catalog.pg_operator o on o.oid = m.amopopr
    where c.opcmethod = 403 and c.opcdefault
      and c.opcintype = case t.typtype when 'd' then t.typbasetype else t.oid end
  ), 'pg_catalog') as equality,
  a.attgenerated <> '' as generated,
  coalesce(a.attnum = any (i.indkey::pg_catalog.int2[]), false) as key,
  pg_catalog.has_column_privilege($2::name, a.attrelid, a.attnum, 'select') as selects,
  pg_catalog.has_column_privilege($2::name, a.attrelid, a.attnum, 'insert') as inserts,
  pg_catalog.has_column_privilege($2::name, a.attrelid, a.attnum, 'update') as updates
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
order by pg_catalog.array_position(i.indkey::pg_catalog.int2[], a.attnum), a.attnum;

-- name: ExplainRole
select r.rolsuper, r.rolbypassrls
from pg_catalog.pg_roles r
where r.rolname = $1;

-- name: ExplainAccess
select
  pg_catalog.has_schema_privilege($2::name, c.relnamespace, 'usage'),
  pg_catalog.has_table_privilege($2::name, c.oid, $3),
  pg_catalog.pg_has_role($2::name, c.relowner, 'usage'),
  array(
    select g.tgname::text
    from pg_catalog.pg_trigger g
    where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D'
      and g.tgtype & 1 <> 0 and g.tgtype & 2 <> 0 -- for each row, before
      and g.tgtype & case $3 when 'insert' then 4 when 'delete' then 8 when 'update' then 16 else 0 end <> 0
    order by 1
  )
from pg_catalog.pg_class c
where c.oid = $1;

-- name: ExplainPolicies
select
  p.polname::text as name,
  case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
  p.polpermissive as permissive,
  array(
    select case when m.role = 0 then 'public' else pg_catalog.pg_get_userbyid(m.role)::text end
    from pg_catalog.unnest(p.polroles) m(role)
  ) as roles,
  exists (
    select from pg_catalog.unnest(p.polroles) m(role)
    where case when m.role = 0 then true else pg_catalog.pg_has_role($2::name, m.role, 'usage') end
  ) as for_role,
  coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') as using_expression,
  coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '') as check_expression
from pg_catalog.pg_policy p
where p.polrelid = $1
order by not p.polpermissive, p.polname;

-- name: ExplainCondition
-- Finds a row by columns, their parameters numbered from 1.
select pg_catalog.string_agg(
  pg_catalog.format('r.%I operator(%s.=) $%s::%s', c.name, c.equality, c.position, c.type), ' and ' order by c.position)
from rows from (
  pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[])
) with ordinality as c(name, equality, type, position);

-- name: ExplainRowStatement
-- The row as text, and some of its columns. Values go through their types' output functions and never through
-- a cast, which the table's owner could have made.
select pg_catalog.format(
  'select pg_catalog.textin(pg_catalog.record_out(r.*)), array[%s]::pg_catalog.text[] from %I.%I as r where %s limit 11',
  (select pg_catalog.string_agg(pg_catalog.format('pg_catalog.format(''%%s'', r.%I)', c.name), ', ' order by c.position)
    from pg_catalog.unnest($4::pg_catalog.text[]) with ordinality as c(name, position)),
  $1::text, $2::text, $3::text);

-- name: ExplainProbeStatement
-- A function that evaluates an expression of the table's columns on a row of it. It is parsed here, with the
-- operator's view of names as a policy was with its author's, and runs with the rights of who calls it, as a
-- policy does.
select pg_catalog.format(
  'create function pg_temp.%I(%I.%I) returns pg_catalog.bool language sql begin atomic '
    'select (%s)::pg_catalog.bool from pg_catalog.unnest(array[$1]) as %I; end',
  $1::text, $2::text, $3::text, $4::text, $3::text);

-- name: ExplainTermStatement
-- The same for a query of one column, whose values it returns as text, up to one more than are shown.
select pg_catalog.format(
  'create function pg_temp.%I(%I.%I) returns pg_catalog.text[] language sql begin atomic '
    'select array(select x.value::pg_catalog.text from (%s) as x(value) limit 11) from pg_catalog.unnest(array[$1]) as %I; end',
  $1::text, $2::text, $3::text, $4::text, $3::text);

-- name: ExplainGrantStatement
select pg_catalog.format('grant execute on function pg_temp.%I(%I.%I) to %I', $1::text, $2::text, $3::text, $4::text);

-- name: ExplainTrialStatement
-- The command itself on that row: $1 command, $2 schema, $3 relation, $4 condition, $5 columns to write, $6 the
-- number of the parameter that holds the row.
select case $1::text
  when 'select' then pg_catalog.format('select pg_catalog.count(*) from %I.%I as r where %s', $2::text, $3::text, $4::text)
  when 'delete' then pg_catalog.format('delete from %I.%I as r where %s', $2::text, $3::text, $4::text)
  when 'update' then pg_catalog.format(
    'update %1$I.%2$I as r set %5$I = n.%5$I from pg_catalog.unnest(array[$%4$s::%1$I.%2$I]) as n where %3$s',
    $2::text, $3::text, $4::text, $6::pg_catalog.int4, ($5::pg_catalog.text[])[1])
  when 'insert' then pg_catalog.format(
    'insert into %1$I.%2$I (%3$s) overriding system value select %4$s from pg_catalog.unnest(array[$1::%1$I.%2$I]) as n',
    $2::text, $3::text,
    (select pg_catalog.string_agg(pg_catalog.quote_ident(c.name), ', ') from pg_catalog.unnest($5::pg_catalog.text[]) as c(name)),
    (select pg_catalog.string_agg('n.' || pg_catalog.quote_ident(c.name), ', ') from pg_catalog.unnest($5::pg_catalog.text[]) as c(name)))
end;

-- name: ExplainStanding
-- What somebody is in the tenant they act in, $2, or in their default one, by the tables and not by a policy's helper.
select
  coalesce(u.email, ''),
  o.id,
  coalesce(o.slug, ''),
  coalesce(o.lifecycle_state::text, ''),
  coalesce(m.role, ''),
  coalesce(m.status, ''),
  exists (select from public.profiles p where p.id = $1 and p.role = 'super_admin')
from (select $1::pg_catalog.uuid as id) k
left join public.users u on u.id = k.id
left join public.organizations o on o.id = coalesce($2::pg_catalog.uuid, u.organization_id)
left join public.user_tenants m on m.tenant_id = o.id and m.user_id = k.id;

-- name: ExplainTenant
select o.slug, coalesce(m.status = 'active', false)
from public.organizations o
left join public.user_tenants m on m.tenant_id = o.id and m.user_id = $2::pg_catalog.uuid
where o.id = $1::pg_catalog.uuid;
