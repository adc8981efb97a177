-- title: A role of requests reaches the server's files or programs
-- level: error
-- scope: any
-- kind: role
-- hint: Revoke it: what the server can read holds every tenant's rows.
select r.name as object, x.what as detail
from (select * from request_role union select * from login) r
cross join lateral (
  select 'member of ' || m.rolname as what
  from pg_catalog.pg_roles m
  where m.rolname in ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
    and pg_catalog.pg_has_role(r.oid, m.oid, 'member')
  union all
  select 'EXECUTE on ' || pg_catalog.string_agg(distinct p.proname, ', ')
  from pg_catalog.pg_proc p
  where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
    and (p.proname in ('pg_read_file', 'pg_read_binary_file', 'pg_stat_file', 'lo_import', 'lo_export') or p.proname like 'pg\_ls\_dir%')
    and pg_catalog.has_function_privilege(r.oid, p.oid, 'execute')
  having pg_catalog.count(*) > 0
) x
where not r.rolsuper
