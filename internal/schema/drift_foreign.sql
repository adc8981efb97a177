What leads out of a database and into it, as rows of drift.sql: whose servers it asks, as whom, and what it takes from others. Options hold passwords and tokens. Shown
are their names, and the values of the few that say where something is; the aspect 'option values' is the others, of which only whether they differ leaves ReadInventory.

-- name: ForeignDataWrappers
select 'security', 'foreign-data wrapper', quote_ident(w.fdwname), 'foreign-data wrapper ' || quote_ident(w.fdwname), a.aspect, a.value, a.make, a.unmake, w.xmin
from pg_catalog.pg_foreign_data_wrapper w
cross join lateral (select
  concat_ws(' ', case when w.fdwhandler <> 0 then 'handler ' || w.fdwhandler::pg_catalog.regproc else 'no handler' end,
    case when w.fdwvalidator <> 0 then 'validator ' || w.fdwvalidator::pg_catalog.regproc else 'no validator' end) as code) d
cross join lateral (values
  ('', 'exists', case when w.fdwoptions is null then format('create foreign data wrapper %I %s', w.fdwname, d.code) end, format('drop foreign data wrapper %I', w.fdwname)),
  ('code', d.code, format('alter foreign data wrapper %I %s', w.fdwname, d.code), null),
  ('owner', w.fdwowner::pg_catalog.regrole::text, format('alter foreign data wrapper %I owner to %s', w.fdwname, w.fdwowner::pg_catalog.regrole), null),
  ('options', (select pg_catalog.string_agg(split_part(o, '=', 1), ', ' order by o) from unnest(w.fdwoptions) o), null, null),
  ('option values', (select pg_catalog.string_agg(o, E'\n' order by o) from unnest(w.fdwoptions) o), null, null)
) a(aspect, value, make, unmake)
where a.value is not null
  and not (pg_catalog.to_regrole('supabase_admin') is not null and w.fdwowner::pg_catalog.regrole::text = 'supabase_admin')
  and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass and e.objid = w.oid and e.deptype = 'e');

-- name: ForeignServers
select 'security', 'foreign server', quote_ident(s.srvname), 'foreign server ' || quote_ident(s.srvname), a.aspect, a.value, a.make, a.unmake, s.xmin
from pg_catalog.pg_foreign_server s
join pg_catalog.pg_foreign_data_wrapper w on w.oid = s.srvfdw
cross join lateral (values
  ('', 'exists', case when s.srvoptions is null then format('create server %I%s%s foreign data wrapper %I', s.srvname, ' type ' || quote_literal(s.srvtype), ' version ' || quote_literal(s.srvversion), w.fdwname) end,
    format('drop server %I', s.srvname)),
  ('definition', concat_ws(' ', quote_ident(w.fdwname), 'type ' || quote_literal(s.srvtype), 'version ' || quote_literal(s.srvversion)), null, null),
  ('owner', s.srvowner::pg_catalog.regrole::text, format('alter server %I owner to %s', s.srvname, s.srvowner::pg_catalog.regrole), null),
  ('options', (select pg_catalog.string_agg(case when split_part(o, '=', 1) in ('host', 'hostaddr', 'port', 'dbname') then o else split_part(o, '=', 1) end, ', ' order by o) from unnest(s.srvoptions) o), null, null),
  ('option values', (select pg_catalog.string_agg(o, E'\n' order by o) from unnest(s.srvoptions) o where split_part(o, '=', 1) not in ('host', 'hostaddr', 'port', 'dbname')), null, null)
) a(aspect, value, make, unmake)
where a.value is not null
  and not (pg_catalog.to_regrole('supabase_admin') is not null and s.srvowner::pg_catalog.regrole::text = 'supabase_admin')
  and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass and e.objid = s.oid and e.deptype = 'e');

-- name: UserMappings
-- A login that may not see what a mapping holds has it as null, and compares that it is there.
select 'security', 'user mapping', u.name, 'foreign server ' || u.server, a.aspect, a.value, a.make, a.unmake, null::pg_catalog.xid
from (
  select m.umoptions, quote_ident(m.srvname) as server, format('of %s on %I', case m.umuser when 0 then 'public' else quote_ident(m.usename) end, m.srvname) as name,
    format('user mapping for %s server %I', case m.umuser when 0 then 'public' else quote_ident(m.usename) end, m.srvname) as called
  from pg_catalog.pg_user_mappings m
) u
cross join lateral (values
  ('', 'exists', null::text, 'drop ' || u.called),
  ('options', (select pg_catalog.string_agg(split_part(o, '=', 1), ', ' order by o) from unnest(u.umoptions) o), null, null),
  ('option values', (select pg_catalog.string_agg(o, E'\n' order by o) from unnest(u.umoptions) o), null, null)
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: ForeignTables
-- What a foreign table shows of whose.
select 'security', 'foreign table', format('%I.%I', n.nspname, c.relname), 'foreign table ' || format('%I.%I', n.nspname, c.relname), a.aspect, a.value, null::text, null::text, f.xmin
from pg_catalog.pg_foreign_table f
join pg_catalog.pg_class c on c.oid = f.ftrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = any ($1)
join pg_catalog.pg_foreign_server s on s.oid = f.ftserver
cross join lateral (values
  ('server', s.srvname::text),
  ('options', (select pg_catalog.string_agg(case when split_part(o, '=', 1) in ('schema_name', 'table_name') then o else split_part(o, '=', 1) end, ', ' order by o) from unnest(f.ftoptions) o)),
  ('option values', (select pg_catalog.string_agg(o, E'\n' order by o) from unnest(f.ftoptions) o where split_part(o, '=', 1) not in ('schema_name', 'table_name')))
) a(aspect, value)
where a.value is not null
  and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e');

-- name: Subscriptions
-- What another server writes here is held by no policy. The address it comes from holds a password, and is not read.
select 'security', 'subscription', quote_ident(s.subname), 'subscription ' || quote_ident(s.subname), a.aspect, a.value, a.make, a.unmake, null::pg_catalog.xid
from pg_catalog.pg_subscription s
cross join lateral (values
  ('', 'exists', null::text, format('drop subscription %I', s.subname)),
  ('publications', array_to_string(s.subpublications, ', '), null, null),
  ('enabled', case when s.subenabled then 'enabled' else 'disabled' end, format('alter subscription %I %s', s.subname, case when s.subenabled then 'enable' else 'disable' end), null),
  ('owner', s.subowner::pg_catalog.regrole::text, format('alter subscription %I owner to %s', s.subname, s.subowner::pg_catalog.regrole), null)
) a(aspect, value, make, unmake)
where s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database());
