-- title: Something of the system is open to every role of this database
-- level: risk
-- scope: any
-- kind: system
-- hint: Revoke it from PUBLIC as a superuser (for VITAL's own: `vital migrate roles | psql`); where the platform forbids that, it stays a known risk.
select x.object, 'PUBLIC may execute ' || pg_catalog.string_agg(distinct p.proname, ', ' order by p.proname) as detail
from pg_catalog.pg_proc p
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
left join pg_catalog.pg_extension e on d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and e.oid = d.refobjid
cross join lateral (
  select case
    when e.extname in ('dblink', 'pg_stat_statements') then 'extension ' || e.extname
    when p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace then null
    when p.proname like 'pg\_advisory\_%' or p.proname like 'pg\_try\_advisory\_%' then 'advisory locks'
    when p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite') then 'large objects'
    when p.proname in ('pg_stat_get_activity', 'pg_terminate_backend', 'pg_cancel_backend', 'pg_prepared_statement', 'pg_lock_status') then 'other sessions'
    when p.proname in ('pg_stat_get_live_tuples', 'pg_stat_get_tuples_inserted', 'pg_relation_size', 'pg_total_relation_size', 'pg_current_wal_lsn') then 'statistics'
  end as object
) x
where x.object is not null
  and exists (
    select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE')
group by x.object
union all
select 'database ' || d.datname, 'TEMPORARY is granted to PUBLIC'
from pg_catalog.pg_database d
where d.datname = pg_catalog.current_database() and exists (
  select from pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
  where a.grantee = 0 and a.privilege_type = 'TEMPORARY')
union all
select 'schema ' || n.nspname, 'CREATE is granted to PUBLIC'
from pg_catalog.pg_namespace n
cross join scope s
where (n.nspname = 'public' or n.nspname = any (s.schemas)) and exists (
  select from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
  where a.grantee = 0 and a.privilege_type = 'CREATE')
