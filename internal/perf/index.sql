What Indexes and RequireOperator ask. It reads the catalog and the statistics alone.

-- name: IndexOperator
-- An operator's login is a superuser, may read everybody's statistics, or owns tables, itself or by inheriting.
select s.rolsuper
  or exists (select from pg_catalog.pg_roles r where r.rolname in ('pg_read_all_stats', 'pg_monitor') and pg_catalog.pg_has_role(s.oid, r.oid, 'usage'))
  or exists (
    select from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and pg_catalog.pg_has_role(s.oid, c.relowner, 'usage'))
from pg_catalog.pg_roles s
where s.rolname = session_user;

-- name: IndexSince
select d.stats_reset
from pg_catalog.pg_stat_database d
where d.datname = pg_catalog.current_database();

-- name: IndexList
-- Every index of somebody's tables, but for those of extensions and partitions. held says which constraint it holds;
-- supports are the foreign keys that find their rows by it. Sizes are as VACUUM or ANALYZE last saw them: not all
-- operators may ask for those of the files.
select
  n.nspname::text as schema, t.relname::text as table, i.relname::text as name,
  pg_catalog.format('%I.%I', n.nspname, t.relname) as table_quoted,
  pg_catalog.format('%I.%I', n.nspname, i.relname) as quoted,
  pg_catalog.pg_get_indexdef(x.indexrelid) as definition,
  m.amname::text as method,
  x.indisunique as is_unique, x.indisprimary as is_primary, x.indisvalid as is_valid, x.indisreplident as identifies, i.relkind = 'I' as partitioned,
  coalesce((
    select min(k.conname)::text from pg_catalog.pg_constraint k
    where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')), '') as held,
  exists (select from pg_catalog.pg_constraint k where k.confrelid = x.indrelid and k.conindid = x.indexrelid and k.contype = 'f') as referenced,
  array(
    select k.conname::text from pg_catalog.pg_constraint k
    where k.conrelid = x.indrelid and k.contype = 'f' and k.conparentid = 0
      and (x.indkey::int2[])[0] = any (k.conkey)
    order by 1
  ) as supports,
  -- what makes two columns of indexes alike: what is indexed, how it is compared and in which order
  array(
    select pg_catalog.pg_get_indexdef(x.indexrelid, c.n, false) || ' ' || x.indclass[c.n - 1] || ' ' || x.indcollation[c.n - 1] || ' ' || x.indoption[c.n - 1]
    from pg_catalog.generate_series(1, x.indnkeyatts) c(n) order by c.n
  ) as keys,
  array(
    select pg_catalog.pg_get_indexdef(x.indexrelid, c.n, false)
    from pg_catalog.generate_series(1, x.indnatts) c(n) order by c.n
  ) as columns,
  x.indnkeyatts::int as key_count,
  coalesce(pg_catalog.pg_get_expr(x.indpred, x.indrelid), '') as predicate,
  u.bytes::bigint as bytes, u.scans::bigint as scans
from pg_catalog.pg_index x
join pg_catalog.pg_class i on i.oid = x.indexrelid
join pg_catalog.pg_am m on m.oid = i.relam
join pg_catalog.pg_class t on t.oid = x.indrelid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
cross join lateral (
  select coalesce(sum(f.relpages::bigint * pg_catalog.current_setting('block_size')::bigint), 0) as bytes, coalesce(sum(pg_catalog.pg_stat_get_numscans(l.oid)), 0) as scans
  from (
    select x.indexrelid as oid where i.relkind = 'i'
    union all
    select p.relid from pg_catalog.pg_partition_tree(x.indexrelid) p where i.relkind = 'I' and p.isleaf
  ) l
  join pg_catalog.pg_class f on f.oid = l.oid
) u
where t.relkind in ('r', 'p', 'm') and not t.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ($1::text[] is null or n.nspname = any ($1))
  and pg_catalog.pg_has_role(session_user, t.relowner, 'usage')
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = t.oid and d.deptype = 'e')
order by 1, 2, 3;

-- name: IndexMissing
-- Foreign keys whose referencing columns no index has as its first, in any order: to delete or change a row that is
-- referenced, PostgreSQL reads the whole table. partly is an index that at least begins with one of them. A partial
-- index counts where all it asks is that those columns are not null.
select
  n.nspname::text as schema, t.relname::text as table, pg_catalog.format('%I.%I', n.nspname, t.relname) as table_quoted,
  k.conname::text as constraint, k.confrelid::pg_catalog.regclass::text as referenced, t.relkind = 'p' as partitioned,
  c.names as columns, c.quoted as columns_quoted,
  coalesce((
    select min(i.indexrelid::pg_catalog.regclass::text) from pg_catalog.pg_index i
    where i.indrelid = t.oid and i.indisvalid and i.indpred is null and (i.indkey::int2[])[0] = any (k.conkey)), '') as partly
from pg_catalog.pg_constraint k
join pg_catalog.pg_class t on t.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
cross join lateral (
  select pg_catalog.array_agg(a.attname::text order by o.n) as names,
    pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by o.n) as quoted,
    pg_catalog.string_agg('(' || pg_catalog.quote_ident(a.attname) || ' IS NOT NULL)', ' AND ' order by o.n) as all_given,
    pg_catalog.array_agg('(' || pg_catalog.quote_ident(a.attname) || ' IS NOT NULL)') as each_given
  from pg_catalog.unnest(k.conkey) with ordinality o(attnum, n)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.attnum
) c
where k.contype = 'f' and k.conparentid = 0 and not t.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ($1::text[] is null or n.nspname = any ($1))
  and pg_catalog.pg_has_role(session_user, t.relowner, 'usage')
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = t.oid and d.deptype = 'e')
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = t.oid and i.indisvalid
      and (i.indpred is null or pg_catalog.pg_get_expr(i.indpred, i.indrelid) = any (c.each_given || ('(' || c.all_given || ')')))
      and pg_catalog.cardinality(k.conkey) <= i.indnkeyatts
      and (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
      and (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] <@ k.conkey)
order by 1, 2, 4;
