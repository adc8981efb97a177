What Explain asks. All of it runs within a transaction that is rolled back. {statement} is the one that is explained, and
the last word: what stands before it is of a known length.

-- name: PlanAnalyze
explain (analyze, buffers, verbose, settings, format json) {statement}

-- name: PlanTime
explain (analyze, timing off, format json) {statement}

-- name: PlanOnly
explain (verbose, format json) {statement}

-- name: PlanTimeout
select
  pg_catalog.set_config('statement_timeout', $1, true),
  pg_catalog.set_config('lock_timeout', $1, true),
  pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true);

-- name: PlanSet
select pg_catalog.set_config($1, $2, true);

-- name: PlanReadOnly
select pg_catalog.set_config('transaction_read_only', 'on', true);

-- name: PlanRole
select pg_catalog.set_config('role', $1, true);

-- name: PlanUnbound
-- The role that this login is, or may become, and that no policy binds: 'none' is the login itself.
select u.role, u.name
from (
  select 1, 'none' as role, s.rolname::text as name
  from pg_catalog.pg_roles s
  where s.rolname = session_user and (s.rolsuper or s.rolbypassrls)
  union all
  select 2, r.rolname::text, r.rolname::text
  from pg_catalog.pg_roles r
  where r.rolname = 'service_role' and r.rolbypassrls and pg_catalog.pg_has_role(session_user, r.oid, 'member')
) u(o, role, name)
order by u.o
limit 1;

-- name: PlanInnerLoad
load 'auto_explain';

-- name: PlanInnerLoaded
select pg_catalog.current_setting('auto_explain.log_nested_statements', true) is not null;

-- name: PlanInnerOn
-- Plans of the statements within functions come as notices, to this client and not to the server's log.
select
  pg_catalog.set_config('log_min_messages', 'warning', true),
  pg_catalog.set_config('client_min_messages', 'notice', true),
  pg_catalog.set_config('lc_messages', 'C', true),
  pg_catalog.set_config('auto_explain.log_level', 'notice', true),
  pg_catalog.set_config('auto_explain.log_format', 'json', true),
  pg_catalog.set_config('auto_explain.log_nested_statements', 'on', true),
  pg_catalog.set_config('auto_explain.log_analyze', 'on', true),
  pg_catalog.set_config('auto_explain.log_timing', 'on', true),
  pg_catalog.set_config('auto_explain.log_buffers', 'on', true),
  pg_catalog.set_config('auto_explain.log_verbose', 'on', true),
  pg_catalog.set_config('auto_explain.sample_rate', '1', true),
  pg_catalog.set_config('auto_explain.log_min_duration', '0', true);

-- name: PlanRelations
-- Of relations that a plan reads or writes: how large they are, what policies the role meets there, and the columns an
-- index begins with. $1 and $2 are their schemas and names, $3 the role, $4 the command, which beside reading decides
-- which policies are asked.
select
  r.schema as schema, r.name as name, pg_catalog.format('%I.%I', r.schema, r.name) as quoted,
  c.relrowsecurity and not p.rolsuper and not p.rolbypassrls
    and (c.relforcerowsecurity or not pg_catalog.pg_has_role(p.oid, c.relowner, 'usage')) as bound,
  c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint as bytes, -- not all operators may ask the file
  array(
    select pg_catalog.quote_ident(l.polname) || ' (' ||
      case l.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end ||
      case when l.polpermissive then ')' else ', restrictive)' end
    from pg_catalog.pg_policy l
    where l.polrelid = c.oid
      and (l.polcmd in ('r', '*') or $4::text = 'merge' or l.polcmd = case $4 when 'insert' then 'a' when 'update' then 'w' when 'delete' then 'd' end::"char")
      and exists (
      select from pg_catalog.unnest(l.polroles) m(role)
      where case when m.role = 0 then true else pg_catalog.pg_has_role(p.oid, m.role, 'usage') end)
    order by not l.polpermissive, l.polname
  ) as policies,
  array(
    select distinct pg_catalog.quote_ident(a.attname)
    from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
    where i.indrelid = c.oid and i.indisvalid and i.indpred is null
    order by 1
  ) as leading
from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) r(schema, name)
join pg_catalog.pg_namespace n on n.nspname = r.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = r.name
cross join pg_catalog.pg_roles p
where p.rolname = $3
order by 1, 2;

-- name: PlanOwnFunctions
-- Those of the names that somebody's function has, which is none of PostgreSQL's.
select distinct f.proname::text
from pg_catalog.pg_proc f
where f.proname = any ($1::text[]) and f.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
order by 1;
