-- title: A tenants' table is read as a whole
-- level: warning
-- scope: any
-- kind: table
-- hint: `vital perf indexes` and `vital perf explain` show which query does; one that names the tenant and has an index reads that tenant's rows alone.
select t.name as object, a.seq_scan || ' times since ' || coalesce(pg_catalog.to_char(b.stats_reset, 'YYYY-MM-DD'), 'its statistics began') || ', '
  || a.seq_tup_read / a.seq_scan || ' rows each time, of ' || a.n_live_tup as detail
from tenant_table t
join pg_catalog.pg_stat_all_tables a on a.relid = t.oid
left join pg_catalog.pg_stat_database b on b.datname = pg_catalog.current_database()
-- a table that is read in a few pages may well be read as a whole, and any is when an index is made or a report runs
where a.n_live_tup >= 10000 and a.seq_scan >= 100 and a.seq_tup_read / a.seq_scan >= a.n_live_tup / 10
