-- What the catalog is read with. Names come out qualified: the search path is empty while these run.

-- name: EmptySearchPath
select pg_catalog.set_config('search_path', '', true);

-- name: Tables
with recursive based (oid, base) as (
  select t.oid, t.oid from pg_type t where t.typtype <> 'd'
  union all
  select t.oid, b.base from pg_type t join based b on b.oid = t.typbasetype where t.typtype = 'd'
)
select
  n.nspname::text as schema,
  c.relname::text as name,
  coalesce(obj_description(c.oid, 'pg_class'), '') as description,
  c.relkind in ('v', 'm') as is_view,
  c.relkind in ('r', 'p') or c.relkind <> 'm' and pg_relation_is_updatable(c.oid, true) & 8 = 8 as insertable,
  c.relkind in ('r', 'p') or c.relkind <> 'm' and pg_relation_is_updatable(c.oid, true) & 4 = 4 as updatable,
  c.relkind in ('r', 'p') or c.relkind <> 'm' and pg_relation_is_updatable(c.oid, true) & 16 = 16 as deletable,
  c.relkind in ('v', 'm', 'f') and pg_get_userbyid(c.relowner) not in ('vital_owner', 'vital_definer')
    or exists (
      select from pg_trigger g
      join pg_proc f on f.oid = g.tgfoid
      where g.tgrelid = c.oid and not g.tgisinternal
        and pg_get_userbyid(f.proowner) not in ('vital_owner', 'vital_definer', 'vital_sealer')
    ) as is_foreign,
  (
    select coalesce(jsonb_agg(jsonb_build_object(
      'name', a.attname,
      'description', coalesce(col_description(c.oid, a.attnum), ''),
      'nullable', not (a.attnotnull or t.typtype = 'd' and t.typnotnull),
      'type', case
        when t.typtype = 'd' and bt.typnamespace = 'pg_catalog'::regnamespace then format_type(b.base, null)
        when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace then format_type(a.atttypid, null)
        else format_type(a.atttypid, a.atttypmod)
      end,
      'nominal', format_type(a.atttypid, a.atttypmod),
      'max_length', case
        when bt.typname in ('bpchar', 'varchar') then nullif(m.typmod, -1) - 4
        when bt.typname in ('bit', 'varbit') then nullif(m.typmod, -1)
      end,
      'default', case
        when t.typtype = 'd' and d.adbin is null then pg_get_expr(t.typdefaultbin, 0)
        when a.attidentity = 'd' then ( -- by catalog: a name is not looked up without USAGE on its schema
          select format('nextval(%L)', s.objid::regclass)
          from pg_depend s
          where s.refclassid = 'pg_class'::regclass and s.refobjid = c.oid and s.refobjsubid = a.attnum
            and s.classid = 'pg_class'::regclass and s.deptype = 'i'
        )
        when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid)
      end,
      'enum', (select coalesce(jsonb_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = b.base)
    ) order by a.attnum), '[]')
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join based b on b.oid = t.oid
    left join pg_type bt on bt.oid = b.base
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    cross join lateral (select case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as typmod) m
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and n.nspname = any ($1)
order by 1, 2;

-- name: Keys
-- Primary and foreign keys of all tables: views may show what lies in schemas that are not exposed.
select
  k.contype = 'f' as is_foreign,
  k.conname::text as name,
  k.conrelid::bigint as table_id,
  n.nspname::text as table_schema,
  c.relname::text as table_name,
  coalesce(k.confrelid::bigint, 0) as target_id,
  coalesce(fn.nspname::text, '') as target_schema,
  coalesce(fc.relname::text, '') as target_name,
  (
    select array_agg(a.attname::text order by o.ord)
    from unnest(k.conkey) with ordinality o(num, ord)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.num
  ) as columns,
  k.conkey as column_numbers,
  coalesce((
    select array_agg(a.attname::text order by o.ord)
    from unnest(k.confkey) with ordinality o(num, ord)
    join pg_attribute a on a.attrelid = k.confrelid and a.attnum = o.num
  ), '{}') as target_columns,
  coalesce(k.confkey, '{}') as target_numbers,
  exists (
    select from pg_constraint u
    where u.conrelid = k.conrelid and u.contype in ('p', 'u') and u.conkey @> k.conkey and u.conkey <@ k.conkey
  ) as is_unique
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_class fc on fc.oid = k.confrelid
left join pg_namespace fn on fn.oid = fc.relnamespace
where k.contype in ('p', 'f') and k.conparentid = 0 and n.nspname not in ('pg_catalog', 'information_schema')
order by k.conrelid, k.conname;

-- name: Views
-- Definitions of views, as the server stores them: where each of their columns comes from stands there.
select
  c.oid::bigint as id,
  n.nspname::text as schema,
  c.relname::text as name,
  r.ev_action::text as definition,
  (select array_agg(a.attname::text order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN'
where c.relkind in ('v', 'm') and n.nspname = any ($1)
order by c.oid;

-- name: Routines
with recursive based (oid, base) as (
  select t.oid, t.oid from pg_type t where t.typtype <> 'd'
  union all
  select t.oid, b.base from pg_type t join based b on b.oid = t.typbasetype where t.typtype = 'd'
), inputs as (
  select
    p.oid,
    i.type,
    coalesce(i.name, '') as name,
    coalesce(i.mode, 'i') as mode,
    row_number() over (partition by p.oid order by i.ord) as ord
  from pg_proc p
  cross join lateral unnest(
    coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes::text[]
  ) with ordinality i(type, name, mode, ord)
  where coalesce(i.mode, 'i') in ('i', 'b', 'v')
), signatures as (
  select
    p.oid,
    count(*) filter (where i.name = '') as unnamed,
    count(*) as total,
    min(i.type::regtype::text) filter (where i.name = '') as unnamed_type,
    jsonb_agg(jsonb_build_object(
      'name', i.name,
      'type', i.type::regtype::text,
      'castable', case i.type::regtype::text
        when 'bit' then 'bit varying' when 'bit[]' then 'bit varying[]'
        when 'character' then 'character varying' when 'character[]' then 'character varying[]'
        else i.type::regtype::text
      end,
      'required', i.ord <= p.pronargs - p.pronargdefaults,
      'variadic', i.mode = 'v'
    ) order by i.ord) as params
  from inputs i
  join pg_proc p on p.oid = i.oid
  group by p.oid
)
select
  n.nspname::text as schema,
  p.proname::text as name,
  coalesce(obj_description(p.oid, 'pg_proc'), '') as description,
  coalesce(s.params, '[]') as params,
  tn.nspname::text as return_schema,
  coalesce(rel.relname, t.typname)::text as return_name,
  p.proretset as set_of,
  t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false) as composite,
  case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end as volatility,
  p.provariadic <> 0 as variadic,
  coalesce((select split_part(substr(g, 31), ',', 1) from unnest(p.proconfig) g where g like 'default\_transaction\_isolation=%'), '') as isolation,
  coalesce((select substr(g, 19) from unnest(p.proconfig) g where g like 'statement\_timeout=%'), '') as timeout,
  pg_get_userbyid(p.proowner) not in ('vital_owner', 'vital_definer', 'vital_sealer') as is_foreign
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
left join signatures s on s.oid = p.oid
join based b on b.oid = p.prorettype
join pg_type t on t.oid = b.base
join pg_namespace tn on tn.oid = t.typnamespace
left join pg_class rel on rel.oid = t.typrelid
where n.nspname = any ($1) and p.prokind = 'f'
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and (coalesce(s.unnamed, 0) = 0
    or s.unnamed = 1 and s.total = 1 and s.unnamed_type in ('bytea', 'json', 'jsonb', 'text', 'xml'));

-- name: ComputedRelationships
select
  n.nspname::text as schema,
  p.proname::text as name,
  an.nspname::text as table_schema,
  a.typname::text as table_name,
  rn.nspname::text as target_schema,
  r.typname::text as target_name,
  not p.proretset or p.prorows = 1 as single,
  pg_get_userbyid(p.proowner) not in ('vital_owner', 'vital_definer', 'vital_sealer') as is_foreign
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_type a on a.oid = p.proargtypes[0] and a.typrelid <> 0
join pg_class ac on ac.oid = a.typrelid and ac.relkind in ('r', 'p', 'v', 'm', 'f')
join pg_namespace an on an.oid = a.typnamespace
join pg_type r on r.oid = p.prorettype and r.typrelid <> 0
join pg_class rc on rc.oid = r.typrelid and rc.relkind in ('r', 'p', 'v', 'm', 'f')
join pg_namespace rn on rn.oid = r.typnamespace
where p.pronargs = 1 and p.prokind = 'f'
order by 1, 2, 3, 4;

-- name: ComputedFields
-- Functions of one row of an exposed relation, which can be read like a column of it.
select an.nspname::text as table_schema, a.typname::text as table_name, p.proname::text as name,
  format_type(p.prorettype, null) as type,
  pg_get_userbyid(p.proowner) not in ('vital_owner', 'vital_definer', 'vital_sealer') as is_foreign
from pg_proc p
join pg_type a on a.oid = p.proargtypes[0] and a.typrelid <> 0
join pg_namespace an on an.oid = a.typnamespace
where p.pronargs = 1 and p.prokind = 'f' and not p.proretset and an.nspname = any ($1);

-- name: Representations
select k.castsource::regtype::text as source, k.casttarget::regtype::text as target, k.castfunc::regproc::text as function
from pg_cast k
join pg_type s on s.oid = k.castsource
join pg_type t on t.oid = k.casttarget
where k.castcontext = 'i' and k.castmethod = 'f' and has_function_privilege(k.castfunc, 'execute')
  and (s.typtype = 'd' and k.casttarget in ('json'::regtype, 'text'::regtype)
    or t.typtype = 'd' and k.castsource in ('json'::regtype, 'text'::regtype));

-- name: Handlers
-- Domains named like media types: an aggregate that returns one turns rows into it, a function that returns
-- one has made it already.
with media as (
  select t.oid, lower(t.typname) as name, t.typname::text as type_name, n.nspname::text as schema
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  where t.typtype = 'd' and (t.typname ~* '^[a-z0-9.-]+/[a-z0-9.+-]+$' or t.typname = '*/*')
)
select
  m.name as media_type,
  p.prokind = 'f' as is_cast,
  case when p.prokind = 'a' then pn.nspname::text else m.schema end as function_schema,
  case when p.prokind = 'a' then p.proname::text else m.type_name end as function_name,
  case when p.prokind = 'a' then tn.nspname::text else pn.nspname::text end as target_schema,
  case when p.prokind = 'a' then t.typname::text else p.proname::text end as target_name
from media m
join pg_proc p on p.prorettype = m.oid
join pg_namespace pn on pn.oid = p.pronamespace
left join pg_type t on p.prokind = 'a' and t.oid = p.proargtypes[0]
left join pg_namespace tn on tn.oid = t.typnamespace
where pn.nspname = any ($1)
  and (p.prokind = 'f' and not p.proretset
    or p.prokind = 'a' and p.pronargs = 1 and (t.typrelid <> 0 or t.oid = 'anyelement'::regtype));

-- name: Types
-- What a value may be cast to. Row types and pseudo types are none of it.
select t.typname::text as name, format_type(t.oid, null) as formatted,
  case when n.nspname = 'pg_catalog' then format_type(t.oid, null) else format('%I.%I', n.nspname, t.typname) end as qualified
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
where t.typrelid = 0 and t.typtype <> 'p' and (n.nspname = 'pg_catalog' or n.nspname = any ($1))
order by coalesce(array_position($1, n.nspname::text), 0), t.oid;

-- name: Roles
select r.rolname::text as role,
  coalesce((select substr(g, 19) from unnest(r.rolconfig) g where g like 'statement\_timeout=%'), '') as timeout
from pg_roles r
where pg_has_role(session_user, r.oid, 'member') or r.rolname in ('anon', 'authenticated');

-- name: Schemas
select n.nspname::text as name, coalesce(obj_description(n.oid, 'pg_namespace'), '') as description
from pg_namespace n
where n.nspname = any ($1);

-- name: Accessible
-- What the role of this transaction may use, of one schema: relations, and functions by name and how many
-- arguments they take.
select c.relname::text, -1
from pg_catalog.pg_class c
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and c.relnamespace = $1::pg_catalog.regnamespace
  and (pg_catalog.has_table_privilege(c.oid, 'select, insert, update, delete')
    or pg_catalog.has_any_column_privilege(c.oid, 'select, insert, update'))
union all
select p.proname::text, p.pronargs::int
from pg_catalog.pg_proc p
where p.pronamespace = $1::pg_catalog.regnamespace and p.prokind = 'f' and pg_catalog.has_function_privilege(p.oid, 'execute');

