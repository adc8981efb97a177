-- The terms the lints share. Every file of database/lints is a query that returns object and detail; it
-- runs behind this text, so what stands here can be selected from. A term no lint names costs nothing.
--
--   $1 schemas to look at          $2 columns that name a row's tenant    $3 roles that requests run as
--   $4 logins requests arrive on   $5 tables and constraints that are agreed not to follow the rule of
--                                     tenancy, as schema.table or schema.table.constraint
--
-- The search path is empty when it runs: a name printed by regclass or regprocedure is qualified.
with recursive
scope as (
  select $1::text[] as schemas, $2::text[] as tenant_columns, $3::text[] as roles, $4::text[] as logins, $5::text[] as excepted
),

request_role as (
  select r.oid, r.rolname::text as name, r.rolsuper, r.rolbypassrls
  from pg_catalog.pg_roles r, scope s
  where r.rolname = any (s.roles)
),

login as (
  select r.oid, r.rolname::text as name, r.rolsuper, r.rolbypassrls
  from pg_catalog.pg_roles r, scope s
  where r.rolname = any (s.logins)
),

-- Tables, views and the like of the schemas, but for what an extension brought.
relation as (
  select c.oid, c.oid::pg_catalog.regclass::text as name, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
    c.reloptions, c.relacl, c.relnamespace, (n.nspname || '.' || c.relname) = any (s.excepted) as excepted
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join scope s on n.nspname = any (s.schemas)
  where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
),

-- What a request can reach, by a privilege of its role or as the owner.
reach as (
  select c.oid as relation, r.oid as role, r.name as role_name,
    pg_catalog.has_any_column_privilege(r.oid, c.oid, 'select') as readable,
    pg_catalog.has_any_column_privilege(r.oid, c.oid, 'insert, update') or pg_catalog.has_table_privilege(r.oid, c.oid, 'delete') as writable
  from relation c
  cross join request_role r
  where pg_catalog.has_schema_privilege(r.oid, c.relnamespace, 'usage')
    and (pg_catalog.has_any_column_privilege(r.oid, c.oid, 'select, insert, update') or pg_catalog.has_table_privilege(r.oid, c.oid, 'delete'))
),

-- A table whose rows belong to a tenant, with the column that says to which: the first of the scope's.
tenant_table as (
  select distinct on (c.oid) c.oid, c.name, c.relrowsecurity, c.excepted,
    a.attnum as tenant_attnum, a.attname::text as tenant_column, a.attnotnull as tenant_required
  from relation c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join scope s on a.attname = any (s.tenant_columns)
  where c.relkind in ('r', 'p')
  order by c.oid, pg_catalog.array_position(s.tenant_columns, a.attname::text)
),

policy as (
  select p.oid, p.polname::text as name, p.polrelid as relation, c.name as table_name, c.relrowsecurity as enforced,
    p.polpermissive as permissive, p.polroles as roles, p.polqual, p.polwithcheck,
    case p.polcmd when 'r' then array['select'] when 'a' then array['insert'] when 'w' then array['update'] when 'd' then array['delete']
      else array['select', 'insert', 'update', 'delete'] end as commands
  from pg_catalog.pg_policy p
  join relation c on c.oid = p.polrelid
),

-- The request roles a policy applies to: those it names, and those that inherit from them.
policy_role as (
  select p.oid as policy, r.oid as role, r.name as role_name
  from policy p
  join request_role r
    on 0 = any (p.roles) or exists (select from pg_catalog.unnest(p.roles) as named(oid) where pg_catalog.pg_has_role(r.oid, named.oid, 'usage'))
),

-- USING and WITH CHECK, each as people read it and as the tree PostgreSQL keeps, whose escapes are left
-- out so that braces are structure only.
policy_clause as (
  select p.oid as policy, x.clause, pg_catalog.pg_get_expr(x.tree, p.relation) as expression,
    pg_catalog.regexp_replace(x.tree::text, '\\.', '', 'g') as tree
  from policy p
  cross join lateral (values ('using', p.polqual), ('with check', p.polwithcheck)) as x(clause, tree)
  where x.tree is not null
),

policy_token as (
  select c.policy, c.clause, t.n, t.token[1] as token,
    pg_catalog.sum(case when t.token[1] like '{%' then 1 when t.token[1] = '}' then -1 else 0 end)
      over (partition by c.policy, c.clause order by t.n) as depth
  from policy_clause c
  cross join lateral pg_catalog.regexp_matches(
    c.tree, '\{VAR [^{}]*|\{[A-Z]*|\}|:funcid [0-9]+|:relid [0-9]+|:boolop [a-z]+', 'g') with ordinality as t(token, n)
),

-- The stretches of a clause that are subqueries: from SUBLINK or QUERY to its closing brace.
policy_span as (
  select o.policy, o.clause, o.token = '{SUBLINK' as sublink, o.n as first, (
      select pg_catalog.min(e.n) from policy_token e
      where e.policy = o.policy and e.clause = o.clause and e.n > o.n and e.token = '}' and e.depth = o.depth - 1
    ) as last
  from policy_token o
  where o.token in ('{SUBLINK', '{QUERY')
),

-- Columns a clause names, with the number of queries around them and how far out of those they reach:
-- both are equal for a column of the policy's own row.
policy_column as (
  select t.policy, t.clause, t.n, substring(t.token from ':varattno (-?[0-9]+)')::pg_catalog.int4 as attnum,
    substring(t.token from ':varlevelsup ([0-9]+)')::pg_catalog.int4 as outward,
    (select pg_catalog.count(*) from policy_span q
      where q.policy = t.policy and q.clause = t.clause and not q.sublink and t.n between q.first and q.last) as inward
  from policy_token t
  where t.token like '{VAR %'
),

-- A subquery that names nothing outside of itself and reads no table, as (select f()): PostgreSQL runs it
-- once a statement, not for every row of this table or another.
policy_once as (
  select s.policy, s.clause, s.first, s.last
  from policy_span s
  where not s.sublink
    and not exists (
      select from policy_token t
      where t.policy = s.policy and t.clause = s.clause and t.token like ':relid %' and t.n between s.first and s.last)
    and not exists (
      select from policy_column v
      where v.policy = s.policy and v.clause = s.clause and v.n between s.first and s.last
        and v.inward - v.outward < (
          select pg_catalog.count(*) from policy_span q
          where q.policy = s.policy and q.clause = s.clause and not q.sublink and s.first between q.first and q.last))
),

-- Functions a clause calls that answer differently from caller to caller.
policy_call as (
  select t.policy, t.clause, t.n, f.oid as function,
    exists (select from policy_once o where o.policy = t.policy and o.clause = t.clause and t.n between o.first and o.last) as once
  from policy_token t
  join pg_catalog.pg_proc f on t.token like ':funcid %' and f.oid = substring(t.token from '[0-9]+')::pg_catalog.oid
  where f.provolatile <> 'i' and (f.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace or f.proname = 'current_setting')
),

-- What a clause is about: columns of its row, and whether it asks anything of the caller or another table.
policy_subject as (
  select c.policy, c.clause, c.expression,
    array(select distinct v.attnum from policy_column v
      where v.policy = c.policy and v.clause = c.clause and v.inward = v.outward) as columns,
    exists (select from policy_call f where f.policy = c.policy and f.clause = c.clause)
      or exists (select from policy_token t where t.policy = c.policy and t.clause = c.clause and t.token in ('{SUBLINK', '{SQLVALUEFUNCTION')) as asks
  from policy_clause c
),

-- What narrows a command of a role: USING for reading, changing and deleting; WITH CHECK, or USING in its
-- stead, for what is written.
policy_rule as (
  select p.oid as policy, p.name, p.relation, p.table_name, p.permissive, r.role, r.role_name, command, c.clause, c.expression, c.columns, c.asks,
    t.tenant_attnum = any (c.columns) as names_tenant
  from policy p
  join policy_role r on r.policy = p.oid
  join tenant_table t on t.oid = p.relation
  cross join lateral pg_catalog.unnest(p.commands) as command
  join policy_subject c on c.policy = p.oid
    and (c.clause = 'using' and command <> 'insert'
      or c.clause = 'with check' and command in ('insert', 'update')
      or c.clause = 'using' and command = 'insert' and p.polwithcheck is null)
),

-- Functions of the database's own that call another, by what their bodies say.
function_call (caller, callee) as (
  select distinct p.oid, inner_function.oid
  from pg_catalog.pg_proc p
  cross join lateral pg_catalog.regexp_matches(p.prosrc, '\m([a-z0-9_]+)\s*\(', 'g') as m(word)
  join pg_catalog.pg_proc inner_function on inner_function.proname = m.word[1]
  where p.pronamespace not in ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
    and inner_function.pronamespace not in ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
),

-- Those that policies call, or that those call.
policy_function (oid, policy) as (
  select f.function, f.policy
  from policy_call f
  join pg_catalog.pg_proc p on p.oid = f.function and p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
  union
  select c.callee, f.policy
  from policy_function f
  join function_call c on c.caller = f.oid
),

-- Functions that matter: those of the schemas and those policies use, but for an extension's.
own_function as (
  select p.oid, p.oid::pg_catalog.regprocedure::text as name, p.prosecdef, p.proconfig, p.proacl, p.proowner, p.prosrc, p.proleakproof, p.prorettype
  from pg_catalog.pg_proc p
  where (p.pronamespace in (select n.oid from pg_catalog.pg_namespace n, scope s where n.nspname = any (s.schemas))
      or p.oid in (select f.oid from policy_function f))
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
),

-- What a view reads, through other views too.
view_source (view, source) as (
  select w.ev_class, d.refobjid
  from pg_catalog.pg_rewrite w
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> w.ev_class
  join relation c on c.oid = w.ev_class and c.relkind in ('v', 'm')
  union
  select v.view, d.refobjid
  from view_source v
  join pg_catalog.pg_rewrite w on w.ev_class = v.source
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> w.ev_class
),

-- Views and materialized views that show rows of tenants, or rows somebody put policies on.
view_of_rows as (
  select v.view, pg_catalog.string_agg(distinct c.oid::pg_catalog.regclass::text, ', ') as tables
  from view_source v
  join pg_catalog.pg_class c on c.oid = v.source
  where c.relrowsecurity or c.oid in (select t.oid from tenant_table t)
  group by v.view
)
