-- title: Something of the system is open to every role of this database
-- level: risk
-- hint: Run database/roles.sql as a superuser (`vital migrate roles | psql`); where the platform forbids the revoke, this stays a known risk.
select p.oid::pg_catalog.regprocedure::text as object, 'EXECUTE is granted to PUBLIC' as detail
from pg_catalog.pg_proc p
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
left join pg_catalog.pg_extension e on e.oid = d.refobjid
where (
    e.extname in ('dblink', 'pg_stat_statements')
    or (p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and (
      p.proname like 'pg\_advisory\_%' or p.proname like 'pg\_try\_advisory\_%'
      or p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite')
      or p.proname in ('pg_stat_get_activity', 'pg_terminate_backend', 'pg_cancel_backend', 'pg_prepared_statement')))
  )
  and exists (
    select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE'
  )
union all
select 'database ' || d.datname, 'TEMPORARY is granted to PUBLIC'
from pg_catalog.pg_database d
where d.datname = pg_catalog.current_database() and exists (
  select from pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
  where a.grantee = 0 and a.privilege_type = 'TEMPORARY'
)
union all
select 'schema public', 'CREATE is granted to PUBLIC'
from pg_catalog.pg_namespace n
where n.nspname = 'public' and exists (
  select from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
  where a.grantee = 0 and a.privilege_type = 'CREATE'
)
