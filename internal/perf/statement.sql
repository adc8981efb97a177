What Statements asks.

-- name: StatementExtension
-- Where the extension lives in this database, and whether the server loaded its library when it started.
select coalesce((
    select n.nspname::text from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements'), ''),
  exists (select from pg_catalog.pg_available_extensions a where a.name = 'pg_stat_statements');

-- name: StatementTopStatement
-- The statement that reads the extension's view, in whatever schema that is.
select pg_catalog.format($f$
  select
    coalesce(s.queryid, 0) as id, s.query as text, coalesce(r.rolname::text, '') as role,
    s.calls as calls, s.total_exec_time as total_ms, s.mean_exec_time as mean_ms, s.stddev_exec_time as deviation_ms, s.max_exec_time as max_ms,
    s.rows as rows, s.shared_blks_hit as hit, s.shared_blks_read as read, s.temp_blks_written as temp_written,
    (s.total_exec_time / nullif(sum(s.total_exec_time) over (), 0))::float8 as share
  from %1$I.pg_stat_statements s
  left join pg_catalog.pg_roles r on r.oid = s.userid
  where s.dbid = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) and s.toplevel
  order by s.total_exec_time desc
  limit $1 $f$, $1::text);
