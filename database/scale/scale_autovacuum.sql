-- title: A large table is cleaned up late
-- level: warning
-- scope: any
-- kind: table
-- hint: The share of a table that may be dead before it is cleaned up is the same at any size. Of a large one say less, or what is dead slows every read.
select c.name as object, case
    when w.off then 'autovacuum_enabled = false; alter table ' || c.name || ' reset (autovacuum_enabled)'
    else pg_catalog.format('%s of %s rows may be dead first (autovacuum_vacuum_scale_factor = %s); alter table %s set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01)',
      (w.share * x.reltuples)::pg_catalog.int8, x.reltuples::pg_catalog.int8, w.share, c.name)
  end as detail
from relation c
join pg_catalog.pg_class x on x.oid = c.oid and x.relkind = 'r'
cross join lateral (
  select coalesce(pg_catalog.max(o.option_value) filter (where o.option_name = 'autovacuum_vacuum_scale_factor'),
      pg_catalog.current_setting('autovacuum_vacuum_scale_factor'))::pg_catalog.float8 as share,
    coalesce(pg_catalog.max(o.option_value) filter (where o.option_name = 'autovacuum_enabled'), 'true') in ('false', 'off', 'no', '0') as off
  from pg_catalog.pg_options_to_table(x.reloptions) o
) w
where w.off or w.share * x.reltuples > 1000000
