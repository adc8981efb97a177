-- title: A setting is attached to one of the server's logins
-- level: error
-- scope: vital
-- kind: role
-- hint: Take it back with ALTER ROLE … RESET; a role's search_path or row_security would apply before VITAL sets its own.
select coalesce(r.rolname, 'all roles')::text as object,
  pg_catalog.array_to_string(s.setconfig, ', ') || coalesce(' in database ' || d.datname, '') as detail
from pg_catalog.pg_db_role_setting s
left join pg_catalog.pg_roles r on r.oid = s.setrole
left join pg_catalog.pg_database d on d.oid = s.setdatabase
where r.rolname in ('vital_api', 'vital_service')
  and (s.setdatabase = 0 or d.datname = pg_catalog.current_database())
