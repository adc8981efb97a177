-- What schema public offers to those who may ask for it, as one JSON document; database.mjs makes types of it.
with
asking (role) as (values ('anon'), ('authenticated'), ('service_role')),
relations as (
  select c.oid, c.relname as name, c.relkind in ('v', 'm') as is_view, pg_relation_is_updatable(c.oid, true) as changes
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and exists (select from asking where has_any_column_privilege(role, c.oid, 'select, insert, update'))
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
-- A domain is what it is made of, an array is its elements.
types as (
  select t.oid, not e.oid = b.oid as is_array, e.typname as name, e.typtype as kind, e.typcategory as category,
    case when e.typtype in ('e', 'c') and e.typnamespace = 'public'::regnamespace then e.typname end as own
  from pg_type t
  join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
  join pg_type e on e.oid = case when b.typcategory = 'A' and b.typelem <> 0 then b.typelem else b.oid end
),
columns as (
  select a.attrelid as relation, a.attname as name, to_jsonb(t) as type, not a.attnotnull as nullable,
    a.attgenerated <> '' or a.attidentity = 'a' as fixed, a.atthasdef or a.attidentity = 'd' as has_default
  from pg_attribute a join types t on t.oid = a.atttypid
  where a.attnum > 0 and not a.attisdropped
),
-- Whether the columns of a reference are unique by themselves, so that there is one at most.
relationships as (
  select k.conrelid as relation, k.conname as name, r.name as target,
    (select json_agg(a.attname order by u.place) from unnest(k.conkey) with ordinality u (number, place) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number) as columns,
    (select json_agg(a.attname order by u.place) from unnest(k.confkey) with ordinality u (number, place) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number) as target_columns,
    exists (select from pg_constraint o where o.conrelid = k.conrelid and o.contype in ('p', 'u') and o.conkey <@ k.conkey) as one_to_one
  from pg_constraint k join relations r on r.oid = k.confrelid
  where k.contype = 'f' and k.conparentid = 0
),
arguments as (
  select p.oid as function, a.place, p.proargnames[a.place] as name, coalesce(p.proargmodes[a.place], 'i') as mode, to_jsonb(t) as type,
    count(*) filter (where coalesce(p.proargmodes[a.place], 'i') in ('i', 'b', 'v')) over (partition by p.oid order by a.place) > p.pronargs - p.pronargdefaults as has_default
  from pg_proc p
  cross join unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a (type, place)
  join types t on t.oid = a.type
),
functions as (
  select p.oid, p.proname as name, p.proretset as is_set, to_jsonb(t) as type, r.name as relation, coalesce(r.is_view, false) as of_view
  from pg_proc p
  join types t on t.oid = p.prorettype
  left join relations r on r.name = t.own and t.kind = 'c'
  where p.pronamespace = 'public'::regnamespace and p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and exists (select from asking where has_function_privilege(role, p.oid, 'execute'))
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
)
select jsonb_pretty(jsonb_build_object(
  'relations', (select jsonb_agg(jsonb_build_object(
      'name', r.name, 'is_view', r.is_view, 'insertable', r.changes & 8 <> 0, 'updatable', r.changes & 4 <> 0,
      'columns', (select jsonb_agg(to_jsonb(c) - 'relation' order by c.name collate "C") from columns c where c.relation = r.oid),
      'relationships', (select coalesce(jsonb_agg(to_jsonb(l) - 'relation' order by l.name collate "C"), '[]') from relationships l where l.relation = r.oid)
    ) order by r.name collate "C") from relations r),
  'functions', (select jsonb_agg(jsonb_build_object(
      'name', f.name, 'is_set', f.is_set, 'type', f.type, 'relation', f.relation, 'of_view', f.of_view,
      'arguments', (select coalesce(jsonb_agg(to_jsonb(a) - 'function' order by a.place) filter (where a.mode in ('i', 'b', 'v')), '[]') from arguments a where a.function = f.oid),
      'results', (select jsonb_agg(to_jsonb(a) - 'function' order by a.place) from arguments a where a.function = f.oid and a.mode in ('t', 'o', 'b'))
    ) order by f.name collate "C", f.oid) from functions f),
  'enums', (select coalesce(jsonb_agg(jsonb_build_object('name', t.typname, 'values', (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
      order by t.typname collate "C"), '[]') from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'),
  'composites', (select coalesce(jsonb_agg(jsonb_build_object('name', c.relname, 'columns', (select jsonb_agg(to_jsonb(l) - 'relation' order by l.name collate "C") from columns l where l.relation = c.oid))
      order by c.relname collate "C"), '[]') from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'c')
));
