-- Who can do what: every schema, relation, sequence and function of the named schemas, times role, times
-- command, with the policies that decide. Without schemas: those somebody who is no superuser may enter;
-- without roles: whoever holds a privilege there, superusers and PostgreSQL's own roles apart, and PUBLIC.
--
-- The body asks pg_catalog alone and names its parameters $1 and $2, so `vital rls matrix` runs the same
-- text on any database from PostgreSQL 15 on. Three things decide and are kept apart: the privilege on the
-- object itself, for the role; what the object reaches, for whoever it acts as (a view acts as its owner
-- unless security_invoker); and row-level security there. Functions of extensions are left out.
create or replace function vital.rls_matrix(p_schemas text[] default null, p_roles text[] default null)
returns table (
  kind text, object text, role text, command text, access text, reason text, columns text[], policies jsonb,
  row_security text, runs_as text, owner text, volatility text
)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off -- it takes ten times as long as the query
as $$
  with recursive
  schemas as materialized (
    select n.oid, n.nspname, n.nspowner, n.nspacl
    from pg_catalog.pg_namespace n
    where case
      when $1::text[] is not null then n.nspname = any ($1)
      else n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and exists (
        select
        from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
        left join pg_catalog.pg_roles r on r.oid = a.grantee
        where a.privilege_type = 'USAGE' and r.rolsuper is not true)
      end
  ),
  functions as materialized (
    select p.*
    from pg_catalog.pg_proc p
    where p.pronamespace in (select s.oid from schemas s)
      and not exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
  ),
  relations as materialized (
    select c.oid, c.relkind, c.relowner, c.relnamespace, c.relacl, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
      c.relrowsecurity, c.relforcerowsecurity, c.relnamespace in (select s.oid from schemas s) as listed,
      c.relkind = 'v' and coalesce((
        select o.option_value::boolean from pg_catalog.pg_options_to_table(c.reloptions) o
        where o.option_name = 'security_invoker'), false) as invoker
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^pg_(toast|temp)'
  ),
  -- Whoever a privilege is granted to by name, and who owns something.
  holders as materialized (
    select s.nspowner as oid from schemas s
    union select a.grantee from schemas s, pg_catalog.aclexplode(s.nspacl) a
    union select r.relowner from relations r where r.listed
    union select a.grantee from relations r, pg_catalog.aclexplode(r.relacl) a where r.listed
    union select a.grantee
      from relations r
      join pg_catalog.pg_attribute k on k.attrelid = r.oid and k.attacl is not null, pg_catalog.aclexplode(k.attacl) a
      where r.listed
    union select f.proowner from functions f
    union select a.grantee from functions f, pg_catalog.aclexplode(f.proacl) a
    union select r.oid from pg_catalog.pg_roles r where r.rolname in ('pg_read_all_data', 'pg_write_all_data')
  ),
  roles as materialized (
    select r.oid, r.rolname::text as name, r.rolsuper as super, r.rolsuper or r.rolbypassrls as bypasses
    from pg_catalog.pg_roles r
    where case
      when $2::text[] is not null then r.rolname = any ($2)
      else not r.rolsuper and r.rolname !~ '^pg_' and exists (
        select from holders h where h.oid <> 0 and pg_catalog.pg_has_role(r.oid, h.oid, 'USAGE'))
      end
    union all
    select 0, 'PUBLIC', false, false where $2 is null or 'PUBLIC' = any ($2)
  ),
  -- What may be asked of which kind of relation; letter is that of pg_policy, bit that of a view that takes it.
  commands as (
    select *
    from (values
      (1, 'select', 'rpvmf', 'r', true, null::integer),
      (2, 'insert', 'rpvf', 'a', true, 8),
      (3, 'update', 'rpvf', 'w', true, 4),
      (4, 'delete', 'rpvf', 'd', false, 16),
      (5, 'truncate', 'rpf', null, false, null),
      (6, 'references', 'rp', null, true, null),
      (7, 'trigger', 'rpvf', null, false, null),
      (8, 'maintain', 'rpm', null, false, null)
    ) as c (place, name, kinds, letter, by_column, bit)
    where c.name <> 'maintain' or pg_catalog.current_setting('server_version_num')::integer >= 170000
  ),
  -- What the query of a view names, and the columns it reads of it.
  reads as materialized (
    select w.ev_class as view, d.refobjid as relation, pg_catalog.array_agg(distinct d.refobjsubid) as columns,
      pg_catalog.count(*) over (partition by w.ev_class) as beside
    from pg_catalog.pg_rewrite w
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> w.ev_class
    join relations v on v.oid = w.ev_class and v.relkind = 'v'
    join relations b on b.oid = d.refobjid and b.relkind <> 'S'
    where w.rulename = '_RETURN'
    group by w.ev_class, d.refobjid
  ),
  -- Every relation a view reaches, and as whom: a security_invoker view asks as the role of the session
  -- even within a view that asks as its owner.
  reached as (
    select v.oid as view, r.oid as role, e.relation, e.columns, e.beside = 1 as alone,
      case when v.invoker then r.oid else v.relowner end as as_role
    from relations v
    cross join roles r
    join reads e on e.view = v.oid
    where v.listed and v.relkind = 'v'
    union
    select x.view, x.role, e.relation, e.columns, x.alone and e.beside = 1, case when v.invoker then x.role else v.relowner end
    from reached x
    join relations v on v.oid = x.relation and v.relkind = 'v'
    join reads e on e.view = v.oid
  ),
  -- What a command touches: the relation itself, for a view's reading all it reaches, for a view's writing
  -- the one relation it is made of. Which of several a view writes to the catalog does not say: then all
  -- count for the rows, and none for the privilege. A view with INSTEAD OF triggers writes what they do.
  touched as (
    select t.oid as relation, r.oid as role, c.name as command, c.letter, t.oid as base, r.oid as as_role, true as alone, true as permitted
    from relations t cross join roles r join commands c on pg_catalog.strpos(c.kinds, t.relkind::text) > 0
    where t.listed and t.relkind in ('r', 'p') and c.letter is not null
    union all
    select x.view, x.role, c.name, c.letter, x.relation, x.as_role, x.alone,
      case
        when c.name <> 'select' then not x.alone or pg_catalog.has_table_privilege(x.as_role, x.relation, c.name)
          or (c.by_column and pg_catalog.has_any_column_privilege(x.as_role, x.relation, c.name))
        when x.columns = '{0}' then pg_catalog.has_any_column_privilege(x.as_role, x.relation, 'select')
        else (
          select pg_catalog.bool_and(k.n <= 0 or pg_catalog.has_column_privilege(x.as_role, x.relation, k.n::smallint, 'select'))
          from pg_catalog.unnest(x.columns) k (n))
      end
    from reached x
    join commands c on c.kinds like '%v%' and c.letter is not null
    where c.name = 'select' or pg_catalog.pg_relation_is_updatable(x.view, false) & c.bit > 0
  ),
  -- Row-level security of each, for whoever the command acts as there.
  filtered as (
    select t.relation, t.role, t.command, t.alone, t.permitted, b.name as base, coalesce(a.rolname::text, 'PUBLIC') as as_role,
      b.relrowsecurity and not coalesce(a.rolsuper or a.rolbypassrls, false)
        and (b.relforcerowsecurity or not pg_catalog.pg_has_role(t.as_role, b.relowner, 'USAGE')) as applies,
      coalesce(p.permissive, false) as open, p.policies
    from touched t
    join relations b on b.oid = t.base
    left join pg_catalog.pg_roles a on a.oid = t.as_role
    left join lateral (
      select pg_catalog.bool_or(p.polpermissive) as permissive,
        pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
          'table', b.name, 'name', p.polname, 'permissive', p.polpermissive,
          'using', case when t.command <> 'insert' then pg_catalog.pg_get_expr(p.polqual, p.polrelid) end,
          'check', case when t.command in ('insert', 'update')
            then pg_catalog.pg_get_expr(coalesce(p.polwithcheck, p.polqual), p.polrelid) end
        )) order by not p.polpermissive, p.polname) as policies
      from pg_catalog.pg_policy p
      where p.polrelid = b.oid and p.polcmd::text in ('*', t.letter) and exists (
        select from pg_catalog.unnest(p.polroles) g (oid) where g.oid = 0 or pg_catalog.pg_has_role(t.as_role, g.oid, 'USAGE'))
    ) p on true
  ),
  behind as materialized (
    select f.relation, f.role, f.command,
      pg_catalog.min(pg_catalog.format('%s needs %s on %s', f.as_role, f.command, f.base)) filter (where not f.permitted) as refused,
      pg_catalog.bool_or(f.applies) as applies,
      pg_catalog.bool_and(f.alone and f.applies and not f.open) as closed,
      pg_catalog.jsonb_agg(f.policies order by f.base) filter (where f.applies and f.policies is not null) as policies
    from filtered f
    group by f.relation, f.role, f.command
  ),
  relation_cells as (
    select
      case t.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
        else 'foreign table' end as kind,
      t.name as object, r.name as role, c.name as command,
      case
        when not h.usage then 'no USAGE on the schema'
        when not h.whole and not h.part then 'no privilege'
        when t.relkind = 'v' and c.bit is not null and pg_catalog.pg_relation_is_updatable(t.oid, true) & c.bit = 0 then 'the view does not take it'
        when b.refused is not null then b.refused
        when b.closed then 'no policy for this role and command'
      end as denied,
      case
        when b.applies and t.relkind <> 'v' then 'row-level security'
        when b.applies then 'row-level security of what the view reads'
        when c.letter is null then 'privilege'
        when t.relkind in ('f', 'm') then 'row-level security does not reach a ' || case t.relkind when 'f' then 'foreign table' else 'materialized view' end
        when t.relkind = 'v' and t.invoker then 'no row-level security applies to the role in what the view reads'
        when t.relkind = 'v' then 'the view reads with the rights of its owner'
        when not t.relrowsecurity then 'row-level security is off'
        when r.super then 'superuser'
        when r.bypasses then 'BYPASSRLS'
        else 'owner, and row-level security is not forced'
      end as granted,
      coalesce(b.applies, false) as applies,
      case when h.part and not h.whole then (
        select pg_catalog.array_agg(k.attname::text order by k.attnum)
        from pg_catalog.pg_attribute k
        where k.attrelid = t.oid and k.attnum > 0 and not k.attisdropped
          and pg_catalog.has_column_privilege(r.oid, t.oid, k.attnum, c.name)
      ) end as columns,
      b.policies,
      case when t.relkind in ('r', 'p') then
        case when not t.relrowsecurity then 'off' when t.relforcerowsecurity then 'forced' else 'enabled' end
      end as row_security,
      case when t.relkind = 'v' then case when t.invoker then 'invoker' else 'definer' end end as runs_as,
      t.relowner as owner, null::text as volatility, c.place
    from relations t
    cross join roles r
    join commands c on pg_catalog.strpos(c.kinds, t.relkind::text) > 0
    cross join lateral (
      select pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE') as usage,
        pg_catalog.has_table_privilege(r.oid, t.oid, c.name) as whole,
        c.by_column and pg_catalog.has_any_column_privilege(r.oid, t.oid, case when c.by_column then c.name else 'select' end) as part
    ) h
    left join behind b on b.relation = t.oid and b.role = r.oid and b.command = c.name
    where t.listed and t.relkind <> 'S'
  ),
  -- What has no rows to filter: a privilege is all there is.
  other_cells as (
    select 'schema' as kind, pg_catalog.quote_ident(s.nspname) as object, r.name as role, c.name as command,
      case when not pg_catalog.has_schema_privilege(r.oid, s.oid, c.name) then 'no privilege' end as denied,
      null::text as runs_as, s.nspowner as owner, null::text as volatility, c.place
    from schemas s cross join roles r cross join (values (1, 'usage'), (2, 'create')) c (place, name)
    union all
    select 'sequence', t.name, r.name, c.name,
      case
        when not pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE') then 'no USAGE on the schema'
        when not pg_catalog.has_sequence_privilege(r.oid, t.oid, c.name) then 'no privilege'
      end,
      null, t.relowner, null, c.place
    from relations t cross join roles r cross join (values (1, 'usage'), (2, 'select'), (3, 'update')) c (place, name)
    where t.listed and t.relkind = 'S'
    union all
    select case f.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
      pg_catalog.format('%I.%I(%s)', s.nspname, f.proname, pg_catalog.oidvectortypes(f.proargtypes)), r.name, 'execute',
      case
        when not pg_catalog.has_schema_privilege(r.oid, s.oid, 'USAGE') then 'no USAGE on the schema'
        when not pg_catalog.has_function_privilege(r.oid, f.oid, 'EXECUTE') then 'no privilege'
      end,
      case when f.prosecdef then 'definer' else 'invoker' end, f.proowner,
      case f.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end, 1
    from functions f join schemas s on s.oid = f.pronamespace cross join roles r
  ),
  cells as (
    select * from relation_cells
    union all
    select o.kind, o.object, o.role, o.command, o.denied, 'privilege', false, null, null, null, o.runs_as, o.owner, o.volatility, o.place
    from other_cells o
  )
  select c.kind, c.object, c.role, c.command,
    case when c.denied is not null then 'denied' when c.applies then 'row-filtered' else 'allowed' end as access,
    coalesce(c.denied, c.granted) as reason,
    case when c.denied is null then c.columns end as columns,
    coalesce((
      select pg_catalog.jsonb_agg(p.value order by g.ordinality, p.ordinality)
      from pg_catalog.jsonb_array_elements(c.policies) with ordinality g,
        pg_catalog.jsonb_array_elements(g.value) with ordinality p
      where c.denied is null or c.denied = 'no policy for this role and command'
    ), '[]') as policies,
    c.row_security, c.runs_as, pg_catalog.pg_get_userbyid(c.owner)::text as owner, c.volatility
  from cells c
  order by
    pg_catalog.array_position(array['schema', 'table', 'view', 'materialized view', 'foreign table', 'sequence'], pg_catalog.replace(c.kind, 'partitioned ', '')),
    c.object <> 'public' and not pg_catalog.starts_with(c.object, 'public.'), c.object,
    pg_catalog.array_position(array['anon', 'authenticated', 'service_role', 'vital_api', 'vital_service', 'vital_owner', 'vital_definer', 'vital_sealer'], c.role),
    c.role = 'PUBLIC', c.role, c.place
$$;
comment on function vital.rls_matrix(text[], text[]) is 'Who can do what, by relation, function, sequence, role and command';
grant execute on function vital.rls_matrix(text[], text[]) to service_role, vital_definer;
