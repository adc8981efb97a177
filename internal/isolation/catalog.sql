What an attacker, and a prover, must know of a database: read by an operator, for the schemas $1.

-- name: Relations
select c.oid, n.nspname::text, c.relname::text, c.relkind::text, pg_catalog.pg_get_userbyid(c.relowner)::text,
  c.relrowsecurity, c.relforcerowsecurity, c.relispartition
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname;

-- name: Columns
select a.attrelid, a.attnum, a.attname::text,
  pg_catalog.format_type(a.atttypid, a.atttypmod),
  case when t.typtype = 'd' then pg_catalog.format_type(t.typbasetype, t.typtypmod) else pg_catalog.format_type(a.atttypid, null) end,
  coalesce(e.typtype, t.typtype)::text, coalesce(e.typcategory, t.typcategory)::text,
  a.attnotnull or t.typnotnull, a.atthasdef or a.attidentity <> '', a.attgenerated <> '' or a.attidentity = 'a',
  coalesce((
    select pg_catalog.array_agg(l.enumlabel::text order by l.enumsortorder)
    from pg_catalog.pg_enum l where l.enumtypid = coalesce(e.oid, t.oid)), '{}'),
  coalesce((
    select pg_catalog.array_agg(pg_catalog.pg_get_constraintdef(k.oid))
    from pg_catalog.pg_constraint k where k.contypid = t.oid), '{}'),
  case when a.atttypmod > 4 and coalesce(e.typname, t.typname) in ('varchar', 'bpchar') then a.atttypmod - 4
    when t.typtypmod > 4 and e.typname in ('varchar', 'bpchar') then t.typtypmod - 4 else 0 end
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_type e on e.oid = t.typbasetype and t.typtype = 'd'
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by a.attrelid, a.attnum;

-- name: Constraints
select k.conrelid, k.conname::text, k.contype::text, coalesce(k.conkey, '{}'), k.confrelid, coalesce(k.confkey, '{}'),
  pg_catalog.pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'f', 'p', 'u') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by k.conrelid, k.contype = 'f', k.conname;

-- name: UniqueIndexes
select i.indrelid, x.relname::text,
  (select pg_catalog.array_agg(u.n order by u.o) from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality u(n, o) where u.o <= i.indnkeyatts)
from pg_catalog.pg_index i
join pg_catalog.pg_class x on x.oid = i.indexrelid
join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where i.indisunique and not i.indisexclusion and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by i.indrelid, i.indisprimary desc, x.relname;

-- name: Functions
select p.oid, n.nspname::text, p.proname::text, pg_catalog.pg_get_function_identity_arguments(p.oid),
  coalesce(p.proargnames[1:p.pronargs], '{}')::text[],
  array(select pg_catalog.format_type(t.oid, null) from pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) with ordinality t(oid, o) order by t.o),
  p.pronargdefaults, p.prokind::text, p.provolatile = 'v', p.prosecdef, p.proretset,
  pg_catalog.format_type(p.prorettype, null), pg_catalog.pg_get_userbyid(p.proowner)::text
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.prokind in ('f', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
order by n.nspname, p.proname, 4;

-- name: Sequences
select n.nspname::text, c.relname::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and n.nspname = any ($1)
order by 1, 2;

-- name: Server
select pg_catalog.current_setting('server_version'), pg_catalog.current_database()::text, session_user::text,
  (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = session_user),
  pg_catalog.to_regnamespace('vital') is not null and pg_catalog.to_regprocedure('vital.identity()') is not null;

-- name: Fingerprint
select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(d.line, E'\n' order by d.line collate "C"), ''), 'UTF8')), 'hex')
from (
  select 'relation ' || pg_catalog.concat_ws('|', n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner), c.relrowsecurity, c.relforcerowsecurity,
    c.reloptions::text, c.relacl::text, case when c.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(c.oid) end)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname = any ($1)
  union all
  select 'column ' || pg_catalog.concat_ws('|', n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl::text)
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname = any ($1)
  union all
  select 'constraint ' || pg_catalog.concat_ws('|', k.conrelid::pg_catalog.regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid))
  from pg_catalog.pg_constraint k join pg_catalog.pg_namespace n on n.oid = k.connamespace
  where k.conrelid <> 0 and n.nspname = any ($1)
  union all
  select 'policy ' || pg_catalog.concat_ws('|', p.polrelid::pg_catalog.regclass, p.polname, p.polcmd, p.polpermissive,
    (select pg_catalog.string_agg(case r.oid when 0 then 'public' else pg_catalog.pg_get_userbyid(r.oid)::text end, ',' order by 1) from pg_catalog.unnest(p.polroles) r(oid)),
    pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any ($1)
  union all
  select 'function ' || pg_catalog.concat_ws('|', p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(p.proowner), p.proacl::text, pg_catalog.pg_get_functiondef(p.oid))
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where p.prokind in ('f', 'p') and n.nspname = any ($1)
  union all
  select 'trigger ' || pg_catalog.concat_ws('|', t.tgrelid::pg_catalog.regclass, t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid))
  from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal and n.nspname = any ($1)
  union all
  select 'role ' || pg_catalog.concat_ws('|', r.rolname, r.rolsuper, r.rolbypassrls, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
    (select pg_catalog.string_agg(pg_catalog.pg_get_userbyid(m.roleid)::text, ',' order by 1) from pg_catalog.pg_auth_members m where m.member = r.oid))
  from pg_catalog.pg_roles r where r.rolname !~ '^pg_'
) d(line);

-- name: PrivilegedRoles
select r.rolname::text, r.rolsuper or r.rolbypassrls
from pg_catalog.pg_roles r
where r.rolsuper or r.rolbypassrls
  or exists (select from pg_catalog.pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p') and c.oid >= 16384)
order by r.rolname;

-- name: WritableColumns
select a.attrelid, a.attname::text
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a'
  and c.relkind in ('r', 'p', 'v', 'f') and n.nspname = any ($2)
  and pg_catalog.has_column_privilege($1::name, c.oid, a.attnum, 'update')
order by a.attrelid, a.attnum;

-- name: State
select pg_catalog.count(*) || '|' || coalesce(pg_catalog.sum(pg_catalog.hashtextextended(r::pg_catalog.text, 0)), 0)
from (select * from {relation} r where {where} limit 10000) r;

-- name: Counting
select pg_catalog.current_setting('track_counts')::boolean
  and pg_catalog.has_function_privilege('pg_catalog.pg_stat_get_xact_tuples_inserted(oid)', 'execute')
  and pg_catalog.has_function_privilege('pg_catalog.pg_stat_get_xact_tuples_updated(oid)', 'execute')
  and pg_catalog.has_function_privilege('pg_catalog.pg_stat_get_xact_tuples_deleted(oid)', 'execute');

-- name: Partitions
with recursive part as (
  select o.place, o.oid from pg_catalog.unnest($1::oid[]) with ordinality o(oid, place)
  union all
  select p.place, i.inhrelid from part p join pg_catalog.pg_inherits i on i.inhparent = p.oid
)
select p.place::int - 1, p.oid from part p order by p.place, p.oid;

-- name: Written
-- A file of its own is what a table gets that is truncated.
select w.place, pg_catalog.concat_ws(' ', pg_catalog.pg_relation_filenode(w.oid), pg_catalog.pg_stat_get_xact_tuples_inserted(w.oid),
  pg_catalog.pg_stat_get_xact_tuples_updated(w.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(w.oid))
from rows from (pg_catalog.unnest({places}::int[]), pg_catalog.unnest({relations}::oid[])) w(place, oid)
order by w.place, w.oid;

-- name: MemberOf
select distinct {tenant}::pg_catalog.text from {relation} where {user} in ({users});
