,

-- The terms of `vital check scale`, behind those of lints.sql.
--
--   $6 tables that stay on the coordinator, as schema.table     $7 schemas that stay there as a whole
standing as (
  select $6::text[] as tables, $7::text[] as schemas
),

-- A table and where it lies once tenants' data is distributed. A partition lies where its parent does.
placed as (
  select c.oid, c.name, t.tenant_attnum, t.tenant_column, t.excepted,
    case
      when (n.nspname || '.' || x.relname) = any (p.tables) or n.nspname = any (p.schemas) then 'coordinator'
      when t.oid is not null then 'distributed'
      when exists (
        select from pg_catalog.pg_constraint k
        join tenant_table target on target.oid = k.confrelid
        join pg_catalog.pg_class target_class on target_class.oid = target.oid
        join pg_catalog.pg_namespace target_space on target_space.oid = target_class.relnamespace
        where k.conrelid = c.oid and k.contype = 'f'
          and not ((target_space.nspname || '.' || target_class.relname) = any (p.tables) or target_space.nspname = any (p.schemas))) then 'coordinator'
      else 'reference'
    end as place,
    (n.nspname || '.' || x.relname) = any (p.tables) or n.nspname = any (p.schemas) as told
  from relation c
  join pg_catalog.pg_class x on x.oid = c.oid and not x.relispartition
  join pg_catalog.pg_namespace n on n.oid = x.relnamespace
  cross join standing p
  left join tenant_table t on t.oid = c.oid
  where c.relkind in ('r', 'p')
),

distributed as (
  select p.oid, p.name, p.tenant_attnum, p.tenant_column
  from placed p
  where p.place = 'distributed'
),

-- A foreign key with the places of both of its tables, and its columns by name. Those that only go where another
-- goes, of partitions, do not count.
reference_key as (
  select k.oid, k.conname::text as name, k.conrelid, k.confrelid, k.conkey, k.confkey, k.confdeltype, k.confupdtype, k.confdelsetcols,
    source.name as source, source.place as source_place, source.tenant_attnum as source_tenant, source.tenant_column as source_column,
    target.name as target, target.place as target_place, target.tenant_attnum as target_tenant, target.tenant_column as target_column,
    pg_catalog.pg_get_constraintdef(k.oid) as definition
  from pg_catalog.pg_constraint k
  join placed source on source.oid = k.conrelid
  join placed target on target.oid = k.confrelid
  where k.contype = 'f' and k.conparentid = 0
),

-- The foreign keys that point at a key, by its index.
key_user as (
  select k.conindid as index,
    pg_catalog.string_agg(k.conrelid::pg_catalog.regclass::text || '.' || k.conname, ', ' order by k.conrelid::pg_catalog.regclass::text, k.conname) as names
  from pg_catalog.pg_constraint k
  where k.contype = 'f' and k.conparentid = 0
  group by k.conindid
),

-- Columns whose numbers the database gives out, with the sequence behind them.
numbered_column as (
  select c.oid as relation, c.name, a.attnum, a.attname::text as column_name, a.atttypid, a.attidentity, s.seqrelid,
    s.seqtypid, s.seqmax, pg_catalog.format_type(a.atttypid, null) as column_type
  from relation c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  join pg_catalog.pg_depend x on x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and x.refobjid = c.oid and x.refobjsubid = a.attnum and a.attidentity <> '' and x.deptype = 'i'
    or x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and x.objid = d.oid and x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and x.deptype = 'n'
  join pg_catalog.pg_sequence s on s.seqrelid = case when a.attidentity <> '' then x.objid else x.refobjid end
  where c.relkind in ('r', 'p')
),

-- What a function says, but for comments.
function_text as (
  select p.oid, p.oid::pg_catalog.regprocedure::text as name, p.prorettype,
    pg_catalog.regexp_replace(coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), '--[^\n]*|/\*.*?\*/', '', 'g') as body
  from pg_catalog.pg_proc p
  join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname not in ('pg_catalog', 'information_schema') and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
)
