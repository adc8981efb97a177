What a database is, as rows that two databases can be compared by: the severity of a difference, the kind and name of an object, the object
it is part of (itself, where nothing), which aspect of it, what that is, and the statements that make it so and undo it (null where
there is none), and the transaction that wrote the catalog's row of it last (null where that row is not for everybody to read). The first aspect of an
object, '', says that it exists. $1 are the schemas looked at, in Settings, Roles, Memberships and ParameterPrivileges the roles; what is in no schema takes none. What an extension brought
is left out. What SQL itself means in a database is in drift_language.sql, what leads out of it in drift_foreign.sql.

-- name: Schemas
select 'security', 'schema', n.nspname::text, 'schema ' || n.nspname, a.aspect, a.value, a.make, a.unmake, n.xmin
from pg_catalog.pg_namespace n
cross join lateral (values
  ('', 'exists', format('create schema %I', n.nspname), format('drop schema %I', n.nspname)),
  ('owner', n.nspowner::pg_catalog.regrole::text, format('alter schema %I owner to %s', n.nspname, n.nspowner::pg_catalog.regrole), null)
) a(aspect, value, make, unmake)
where n.nspname = any ($1);

-- name: Relations
with relation as (
  select c.*, c.xmin as written, k.kind, n.nspname, format('%I.%I', n.nspname, c.relname) as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join (values ('r', 'table'), ('p', 'table'), ('v', 'view'), ('m', 'materialized view'), ('S', 'sequence'), ('f', 'foreign table')) k(relkind, kind)
    on k.relkind = c.relkind::text
  where n.nspname = any ($1)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype in ('e', 'i') and c.relkind <> 'r' and (d.deptype = 'e' or c.relkind = 'S'))
)
select a.severity, r.kind, r.name, r.kind || ' ' || r.name, a.aspect, a.value, a.make, a.unmake,
  case a.aspect
    when 'definition' then (select w.xmin from pg_catalog.pg_rewrite w where w.ev_class = r.oid and w.rulename = '_RETURN')
    when 'numbers' then (select s.xmin from pg_catalog.pg_sequence s where s.seqrelid = r.oid)
    else r.written
  end
from relation r
cross join lateral (values
  (case when r.relkind in ('v', 'm', 'f') then 'security' else 'structure' end, '', 'exists',
    case when r.relkind in ('v', 'm') then format('create %s %s%s as %s', r.kind, r.name, ' with (' || array_to_string(r.reloptions, ', ') || ')', pg_catalog.pg_get_viewdef(r.oid)) end,
    format('drop %s %s', r.kind, r.name)),
  ('structure', 'schema', r.nspname::text, null, null),
  ('security', 'owner', r.relowner::pg_catalog.regrole::text, format('alter %s %s owner to %s', r.kind, r.name, r.relowner::pg_catalog.regrole), null),
  ('security', 'row security', case when r.relkind in ('r', 'p') then case when r.relrowsecurity then 'enabled' else 'disabled' end end,
    format('alter table %s %s row level security', r.name, case when r.relrowsecurity then 'enable' else 'disable' end), null),
  ('security', 'forced row security', case when r.relkind in ('r', 'p') then case when r.relforcerowsecurity then 'forced' else 'not forced' end end,
    format('alter table %s %s row level security', r.name, case when r.relforcerowsecurity then 'force' else 'no force' end), null),
  ('structure', 'persistence', r.relpersistence::text, format('alter table %s set %s', r.name, case r.relpersistence when 'u' then 'unlogged' else 'logged' end), null),
  ('structure', 'replica identity', case when r.relkind in ('r', 'p') then r.relreplident::text end,
    format('alter table %s replica identity %s', r.name, case r.relreplident when 'f' then 'full' when 'n' then 'nothing' else 'default' end), null),
  ('structure', 'access method', case when r.relkind in ('r', 'm') then (select m.amname::text from pg_catalog.pg_am m where m.oid = r.relam) end,
    format('alter %s %s set access method ', r.kind, r.name) || (select quote_ident(m.amname) from pg_catalog.pg_am m where m.oid = r.relam), null),
  ('structure', 'partitioned by', case when r.relkind = 'p' then pg_catalog.pg_get_partkeydef(r.oid) end, null, null),
  ('structure', 'partition of', (select i.inhparent::pg_catalog.regclass || coalesce(' ' || pg_catalog.pg_get_expr(r.relpartbound, r.oid), '')
    from pg_catalog.pg_inherits i where i.inhrelid = r.oid limit 1), null, null),
  (case when r.relkind = 'v' then 'security' else 'structure' end, 'options', array_to_string(array(select o from unnest(r.reloptions) o order by 1), ', '),
    case when r.reloptions <> '{}' then format('alter %s %s set (%s)', r.kind, r.name, array_to_string(r.reloptions, ', ')) end,
    format('alter %s %s reset (%s)', r.kind, r.name, (select pg_catalog.string_agg(split_part(o, '=', 1), ', ') from unnest(r.reloptions) o))),
  ('security', 'definition', case when r.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(r.oid) end,
    case when r.relkind = 'v' then format('create or replace view %s%s as %s', r.name, ' with (' || array_to_string(r.reloptions, ', ') || ')', pg_catalog.pg_get_viewdef(r.oid)) end, null),
  ('structure', 'numbers', (
    select format('%s from %s by %s, %s to %s%s, cache %s%s', s.seqtypid::pg_catalog.regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
      case when s.seqcycle then ', cycle' end, s.seqcache,
      (select ', owned by ' || d.refobjid::pg_catalog.regclass || '.' || t.attname from pg_catalog.pg_depend d
        join pg_catalog.pg_attribute t on t.attrelid = d.refobjid and t.attnum = d.refobjsubid
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = r.oid and d.deptype = 'a' limit 1))
    from pg_catalog.pg_sequence s where s.seqrelid = r.oid),
    (select format('alter sequence %s as %s start %s increment %s minvalue %s maxvalue %s %s cache %s', r.name, s.seqtypid::pg_catalog.regtype, s.seqstart,
      s.seqincrement, s.seqmin, s.seqmax, case when s.seqcycle then 'cycle' else 'no cycle' end, s.seqcache)
    from pg_catalog.pg_sequence s where s.seqrelid = r.oid), null)
) a(severity, aspect, value, make, unmake)
where a.value is not null and (a.aspect <> 'options' or a.value <> '');

-- name: Columns
with col as (
  select t.*, t.xmin as written, d.xmin as default_written, format('%I.%I', n.nspname, c.relname) as relation, format('%I.%I.%I', n.nspname, c.relname, t.attname) as name, d.adbin,
    k.kind || ' ' || format('%I.%I', n.nspname, c.relname) as parent, c.relkind, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression,
    pg_catalog.format_type(t.atttypid, t.atttypmod) as type
  from pg_catalog.pg_attribute t
  join pg_catalog.pg_class c on c.oid = t.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join (values ('r', 'table'), ('p', 'table'), ('v', 'view'), ('m', 'materialized view'), ('f', 'foreign table'), ('c', 'type')) k(relkind, kind) on k.relkind = c.relkind::text
  left join pg_catalog.pg_attrdef d on d.adrelid = t.attrelid and d.adnum = t.attnum
  where n.nspname = any ($1) and t.attnum > 0 and not t.attisdropped
    and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.objid = c.oid and e.deptype = 'e')
)
select a.severity, 'column', c.name, c.parent, a.aspect, a.value, a.make, a.unmake,
  case when a.aspect in ('default', 'generated') then c.default_written else c.written end
from col c
cross join lateral (values
  ('structure', '', 'exists',
    case when c.relkind in ('r', 'p') then format('alter table %s add column %I %s%s%s', c.relation, c.attname, c.type,
      case when c.attgenerated <> '' then ' generated always as (' || c.expression || ') stored' else ' default ' || c.expression end, case when c.attnotnull then ' not null' end) end,
    case when c.relkind in ('r', 'p') then format('alter table %s drop column %I', c.relation, c.attname) end),
  ('structure', 'type', c.type, case when c.relkind in ('r', 'p') then format('alter table %s alter column %I type %s', c.relation, c.attname, c.type) end, null),
  ('structure', 'not null', case when c.relkind in ('r', 'p') then case when c.attnotnull then 'not null' else 'nullable' end end,
    format('alter table %s alter column %I %s not null', c.relation, c.attname, case when c.attnotnull then 'set' else 'drop' end), null),
  ('structure', 'default', case when c.attgenerated = '' then c.expression end, format('alter table %s alter column %I set default %s', c.relation, c.attname, c.expression),
    format('alter table %s alter column %I drop default', c.relation, c.attname)),
  ('structure', 'generated', case when c.attgenerated <> '' then c.expression end, null, format('alter table %s alter column %I drop expression', c.relation, c.attname)),
  ('structure', 'identity', nullif(c.attidentity::text, ''),
    format('alter table %s alter column %I add generated %s as identity', c.relation, c.attname, case c.attidentity when 'a' then 'always' else 'by default' end),
    format('alter table %s alter column %I drop identity', c.relation, c.attname)),
  ('structure', 'collation', (select l.collname::text from pg_catalog.pg_collation l join pg_catalog.pg_type y on y.oid = c.atttypid
    where l.oid = c.attcollation and c.attcollation <> y.typcollation),
    format('alter table %s alter column %I type %s collate %s', c.relation, c.attname, c.type, nullif(c.attcollation, 0)::pg_catalog.regcollation),
    format('alter table %s alter column %I type %s collate "default"', c.relation, c.attname, c.type))
) a(severity, aspect, value, make, unmake)
where a.value is not null;

-- name: Constraints
select a.severity, 'constraint', o.name || ' on ' || o.target, o.of || ' ' || o.target, a.aspect, a.value, a.make, a.unmake, o.written
from (
  select x.*, x.xmin as written, quote_ident(x.conname) as name, coalesce(quote_ident(m.nspname) || '.' || quote_ident(c.relname), quote_ident(n.nspname) || '.' || quote_ident(y.typname)) as target,
    case when x.conrelid <> 0 then 'table' else 'domain' end as of, pg_catalog.pg_get_constraintdef(x.oid) as definition
  from pg_catalog.pg_constraint x
  join pg_catalog.pg_namespace n on n.oid = x.connamespace
  left join pg_catalog.pg_class c on c.oid = x.conrelid
  left join pg_catalog.pg_namespace m on m.oid = c.relnamespace
  left join pg_catalog.pg_type y on y.oid = x.contypid
  where n.nspname = any ($1) and x.contype in ('c', 'f', 'p', 'u', 'x') and x.conparentid = 0
) o
cross join lateral (values
  (case when o.contype = 'c' or o.contype = 'f' then 'security' else 'structure' end, '', 'exists',
    format('alter %s %s add constraint %s %s', o.of, o.target, o.name, o.definition), format('alter %s %s drop constraint %s', o.of, o.target, o.name)),
  ('security', 'definition', regexp_replace(o.definition, ' NOT VALID$', ''),
    format('alter %1$s %2$s drop constraint %3$s; alter %1$s %2$s add constraint %3$s %4$s', o.of, o.target, o.name, o.definition), null),
  ('security', 'validated', case when o.convalidated then 'validated' else 'not validated' end,
    case when o.convalidated then format('alter %s %s validate constraint %s', o.of, o.target, o.name) end, null)
) a(severity, aspect, value, make, unmake);

-- name: Indexes
select a.severity, 'index', format('%I.%I', n.nspname, c.relname),
  coalesce('constraint ' || quote_ident(x.conname) || format(' on %I.%I', m.nspname, t.relname), case t.relkind when 'm' then 'materialized view ' else 'table ' end || format('%I.%I', m.nspname, t.relname)),
  a.aspect, a.value, a.make, a.unmake, case when a.aspect = 'valid' then i.xmin else c.xmin end
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class t on t.oid = i.indrelid
join pg_catalog.pg_namespace m on m.oid = t.relnamespace
left join pg_catalog.pg_constraint x on x.conindid = i.indexrelid and x.contype in ('p', 'u', 'x')
cross join lateral (values
  ('structure', '', 'exists', pg_catalog.pg_get_indexdef(i.indexrelid), format('drop index %I.%I', n.nspname, c.relname)),
  (case when i.indisunique then 'security' else 'structure' end, 'definition', case when x.oid is null then pg_catalog.pg_get_indexdef(i.indexrelid) end,
    format('drop index %I.%I; %s', n.nspname, c.relname, pg_catalog.pg_get_indexdef(i.indexrelid)), null),
  ('structure', 'valid', case when i.indisvalid and i.indisready then 'valid' else 'invalid' end, format('reindex index concurrently %I.%I', n.nspname, c.relname), null)
) a(severity, aspect, value, make, unmake)
where m.nspname = any ($1) and a.value is not null
  and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indexrelid);

-- name: Functions
select a.severity, p.kind, p.name, p.kind || ' ' || p.name, a.aspect, a.value, a.make, a.unmake, p.written
from (
  select f.*, f.xmin as written, case f.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
    format('%I.%I(%s)', n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)) as name,
    case when f.prokind in ('f', 'p', 'w') then pg_catalog.pg_get_functiondef(f.oid) end as definition
  from pg_catalog.pg_proc f
  join pg_catalog.pg_namespace n on n.oid = f.pronamespace
  where (n.nspname = any ($1) or n.nspname = 'pg_catalog' and f.oid >= 16384) -- what everybody calls without naming a schema
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = f.oid and d.deptype = 'e')
) p
cross join lateral (values
  ('security', '', 'exists', p.definition, format('drop %s %s', p.kind, p.name)),
  ('security', 'body', coalesce(nullif(p.prosrc, ''), p.definition), p.definition, null),
  ('security', 'security', case when p.prosecdef then 'definer' else 'invoker' end, format('alter %s %s security %s', p.kind, p.name, case when p.prosecdef then 'definer' else 'invoker' end), null),
  ('security', 'settings', array_to_string(array(select s from unnest(p.proconfig) s order by 1), ', '), p.definition, format('alter %s %s reset all', p.kind, p.name)),
  ('security', 'owner', p.proowner::pg_catalog.regrole::text, format('alter %s %s owner to %s', p.kind, p.name, p.proowner::pg_catalog.regrole), null),
  ('structure', 'volatility', p.provolatile::text, format('alter %s %s %s', p.kind, p.name, case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end), null),
  ('security', 'leakproof', case when p.proleakproof then 'leakproof' else 'not leakproof' end, format('alter %s %s %s leakproof', p.kind, p.name, case when p.proleakproof then '' else 'not' end), null),
  ('structure', 'strict', case when p.proisstrict then 'strict' else 'called on null' end,
    format('alter %s %s %s', p.kind, p.name, case when p.proisstrict then 'strict' else 'called on null input' end), null),
  ('structure', 'parallel', p.proparallel::text, format('alter %s %s parallel %s', p.kind, p.name, case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end), null),
  ('structure', 'returns', coalesce(pg_catalog.pg_get_function_result(p.oid), '') || ' of ' || pg_catalog.pg_get_function_arguments(p.oid), null, null),
  ('structure', 'language', (select l.lanname::text from pg_catalog.pg_language l where l.oid = p.prolang), p.definition, null)
) a(severity, aspect, value, make, unmake)
where a.aspect <> 'settings' or a.value <> '';

-- name: Triggers
select 'security', 'trigger', format('%I on %s', t.tgname, o.name), 'table ' || o.name, a.aspect, a.value, a.make, a.unmake, t.xmin
from pg_catalog.pg_trigger t
cross join lateral (
  select format('%I.%I', n.nspname, c.relname) as name, n.nspname, pg_catalog.pg_get_triggerdef(t.oid) as definition
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = t.tgrelid
) o
cross join lateral (values
  ('', 'exists', o.definition, format('drop trigger %I on %s', t.tgname, o.name)),
  ('definition', o.definition, format('drop trigger %I on %s; %s', t.tgname, o.name, o.definition), null),
  ('enabled', case t.tgenabled when 'O' then 'enabled' when 'D' then 'disabled' when 'R' then 'replica' else 'always' end,
    format('alter table %s %s trigger %I', o.name, case t.tgenabled when 'O' then 'enable' when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, t.tgname), null)
) a(aspect, value, make, unmake)
where o.nspname = any ($1) and not t.tgisinternal and t.tgparentid = 0;

-- name: Policies
select 'security', 'policy', format('%I on %s', p.policyname, p.name), 'table ' || p.name, a.aspect, a.value, a.make, a.unmake,
  (select w.xmin from pg_catalog.pg_policy w where w.polname = p.policyname and w.polrelid = p.name::pg_catalog.regclass)
from (
  select *, format('%I.%I', schemaname, tablename) as name, format('create policy %I on %I.%I as %s for %s to %s%s%s', policyname, schemaname, tablename, permissive, cmd,
    array_to_string(array(select case r when 'public' then 'public' else quote_ident(r) end from unnest(roles) r), ', '), ' using (' || qual || ')', ' with check (' || with_check || ')') as definition
  from pg_catalog.pg_policies where schemaname = any ($1)
) p
cross join lateral (values
  ('', 'exists', p.definition, format('drop policy %I on %s', p.policyname, p.name)),
  ('command', p.cmd, format('drop policy %I on %s; %s', p.policyname, p.name, p.definition), null),
  ('permissive', p.permissive, format('drop policy %I on %s; %s', p.policyname, p.name, p.definition), null),
  ('roles', array_to_string(array(select r from unnest(p.roles) r order by 1), ', '), format('drop policy %I on %s; %s', p.policyname, p.name, p.definition), null),
  ('using', p.qual, format('drop policy %I on %s; %s', p.policyname, p.name, p.definition), format('drop policy %I on %s', p.policyname, p.name)),
  ('with check', p.with_check, format('drop policy %I on %s; %s', p.policyname, p.name, p.definition), format('drop policy %I on %s', p.policyname, p.name))
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: Rules
select 'security', 'rule', format('%I on %I.%I', r.rulename, r.schemaname, r.tablename), 'table ' || format('%I.%I', r.schemaname, r.tablename), '', r.definition,
  r.definition, format('drop rule %I on %I.%I', r.rulename, r.schemaname, r.tablename),
  (select w.xmin from pg_catalog.pg_rewrite w where w.rulename = r.rulename and w.ev_class = format('%I.%I', r.schemaname, r.tablename)::pg_catalog.regclass)
from pg_catalog.pg_rules r where r.schemaname = any ($1);

-- name: Types
select 'structure', y.kind, y.name, y.kind || ' ' || y.name, a.aspect, a.value, a.make, a.unmake,
  case when a.aspect = 'labels' then (select e.xmin from pg_catalog.pg_enum e where e.enumtypid = y.oid order by pg_catalog.age(e.xmin) limit 1) else y.written end
from (
  select t.*, t.xmin as written, case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'type' else 'range' end as kind, format('%I.%I', n.nspname, t.typname) as name
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where n.nspname = any ($1) and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and exists (select from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = t.oid and d.deptype = 'e')
) y
cross join lateral (values
  ('', 'exists', case y.typtype when 'd' then format('create domain %s as %s', y.name, pg_catalog.format_type(y.typbasetype, y.typtypmod)) end,
    format('drop %s %s', case when y.typtype = 'd' then 'domain' else 'type' end, y.name)),
  ('labels', (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_catalog.pg_enum e where e.enumtypid = y.oid), null, null),
  ('type', case when y.typtype = 'd' then pg_catalog.format_type(y.typbasetype, y.typtypmod) end, null, null),
  ('not null', case when y.typtype = 'd' then y.typnotnull::text end, format('alter domain %s %s not null', y.name, case when y.typnotnull then 'set' else 'drop' end), null),
  ('default', case when y.typtype = 'd' then y.typdefault end, format('alter domain %s set default %s', y.name, y.typdefault), format('alter domain %s drop default', y.name)),
  ('owner', y.typowner::pg_catalog.regrole::text, format('alter type %s owner to %s', y.name, y.typowner::pg_catalog.regrole), null)
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: Privileges
select 'security', 'privilege', format('%s on %s %s to %s', x.privilege_type, o.kind, o.name, coalesce(g.rolname, 'public')), o.parent, '',
  case when x.is_grantable then 'granted, may be passed on' else 'granted' end,
  format('grant %s on %s %s to %s%s', x.privilege_type || o.columns, o.kind, o.target, coalesce(quote_ident(g.rolname), 'public'), case when x.is_grantable then ' with grant option' end),
  format('revoke %s on %s %s from %s', x.privilege_type || o.columns, o.kind, o.target, coalesce(quote_ident(g.rolname), 'public')), o.written
from (
  select case c.relkind when 'S' then 'sequence' else 'table' end as kind, format('%I.%I', n.nspname, c.relname) as name, format('%I.%I', n.nspname, c.relname) as target, '' as columns,
    case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence ' when 'f' then 'foreign table ' else 'table ' end || format('%I.%I', n.nspname, c.relname) as parent,
    coalesce(c.relacl, pg_catalog.acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl, c.relowner as owner, c.xmin as written
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
  union all
  select 'table', format('%I.%I.%I', n.nspname, c.relname, t.attname), format('%I.%I', n.nspname, c.relname), format(' (%I)', t.attname),
    case c.relkind when 'v' then 'view ' else 'table ' end || format('%I.%I', n.nspname, c.relname), t.attacl, c.relowner, t.xmin
  from pg_catalog.pg_attribute t join pg_catalog.pg_class c on c.oid = t.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any ($1) and t.attacl is not null and not t.attisdropped
  union all
  select case f.prokind when 'p' then 'procedure' else 'function' end, format('%I.%I(%s)', n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)),
    format('%I.%I(%s)', n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)), '',
    case f.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end || format('%I.%I(%s)', n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)),
    coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner)), f.proowner, f.xmin
  from pg_catalog.pg_proc f join pg_catalog.pg_namespace n on n.oid = f.pronamespace
  where n.nspname = any ($1)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = f.oid and d.deptype = 'e')
  union all
  select 'schema', quote_ident(n.nspname), quote_ident(n.nspname), '', 'schema ' || n.nspname, coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), n.nspowner, n.xmin
  from pg_catalog.pg_namespace n where n.nspname = any ($1)
  union all
  select 'database', 'this one', quote_ident(d.datname), '', '', coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)), d.datdba, d.xmin
  from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
  union all
  select 'function', f.oid::pg_catalog.regprocedure::text, f.oid::pg_catalog.regprocedure::text, '',
    case f.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end || format('pg_catalog.%I(%s)', f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)), f.proacl, f.proowner, f.xmin -- closed to everybody by roles.sql
  from pg_catalog.pg_proc f where f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and f.proacl is not null
  union all
  select 'language', quote_ident(l.lanname), quote_ident(l.lanname), '', 'language ' || quote_ident(l.lanname), coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner)), l.lanowner, l.xmin
  from pg_catalog.pg_language l
  union all
  select 'foreign data wrapper', quote_ident(w.fdwname), quote_ident(w.fdwname), '', 'foreign-data wrapper ' || quote_ident(w.fdwname), w.fdwacl, w.fdwowner, w.xmin
  from pg_catalog.pg_foreign_data_wrapper w
  union all
  select 'foreign server', quote_ident(s.srvname), quote_ident(s.srvname), '', 'foreign server ' || quote_ident(s.srvname), s.srvacl, s.srvowner, s.xmin
  from pg_catalog.pg_foreign_server s
) o
cross join lateral pg_catalog.aclexplode(o.acl) x
left join pg_catalog.pg_roles g on g.oid = x.grantee
where x.grantee <> o.owner;

-- name: DefaultPrivileges
with platform as ( -- what a Supabase project brings is its own
  select r.oid from pg_catalog.pg_roles r
  where r.rolname in ('supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin', 'authenticator', 'dashboard_user', 'postgres')
    and pg_catalog.to_regrole('supabase_admin') is not null
),
kind (letter, plural, code) as (values ('r', 'tables', 'r'), ('S', 'sequences', 's'), ('f', 'functions', 'f'), ('T', 'types', 'T'), ('n', 'schemas', 'n')),
-- What is granted on everything new beside what PostgreSQL grants by itself, and what is not granted of that; and what is granted in one schema.
changed as (
  select d.defaclrole as owner, d.xmin as written, k.plural, n.nspname as schema, d.defaclacl as acl,
    case when n.nspname is null then pg_catalog.acldefault(k.code::"char", d.defaclrole) end as usual
  from pg_catalog.pg_default_acl d
  join kind k on k.letter = d.defaclobjtype::text
  left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
  where (n.nspname is null or n.nspname = any ($1)) and not exists (select from platform p where p.oid = d.defaclrole)
),
entry as (
  select c.owner, c.written, c.plural, c.schema, x.grantee, x.privilege_type, x.is_grantable, true as granted
  from changed c cross join lateral (select * from pg_catalog.aclexplode(c.acl) except select * from pg_catalog.aclexplode(c.usual)) x
  union all
  select c.owner, c.written, c.plural, c.schema, x.grantee, x.privilege_type, x.is_grantable, false
  from changed c cross join lateral (select * from pg_catalog.aclexplode(c.usual) except select * from pg_catalog.aclexplode(c.acl)) x
)
select 'security', 'default privilege', format('%s on new %s of %s%s to %s', e.privilege_type, e.plural, e.owner::pg_catalog.regrole, ' in ' || e.schema, coalesce(g.rolname, 'public')), '', '',
  case when not e.granted then 'revoked' when e.is_grantable then 'granted, may be passed on' else 'granted' end,
  case when e.granted then t.give else t.take end, case when e.granted then t.take else t.give end, e.written
from entry e
left join pg_catalog.pg_roles g on g.oid = e.grantee
cross join lateral (
  select format('alter default privileges for role %s%s grant %s on %s to %s', e.owner::pg_catalog.regrole, ' in schema ' || quote_ident(e.schema), e.privilege_type, e.plural, coalesce(quote_ident(g.rolname), 'public')) as give,
    format('alter default privileges for role %s%s revoke %s on %s from %s', e.owner::pg_catalog.regrole, ' in schema ' || quote_ident(e.schema), e.privilege_type, e.plural, coalesce(quote_ident(g.rolname), 'public')) as take
) t
where e.grantee <> e.owner;

-- name: Statistics
select 'structure', 'statistics', x.name, coalesce('table ' || x.target, ''), a.aspect, a.value, a.make, a.unmake, x.written
from (
  select s.*, s.xmin as written, format('%I.%I', n.nspname, s.stxname) as name, format('%I.%I', m.nspname, c.relname) as target, pg_catalog.pg_get_statisticsobjdef(s.oid) as definition
  from pg_catalog.pg_statistic_ext s
  join pg_catalog.pg_namespace n on n.oid = s.stxnamespace
  join pg_catalog.pg_class c on c.oid = s.stxrelid
  join pg_catalog.pg_namespace m on m.oid = c.relnamespace
  where n.nspname = any ($1)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass and d.objid = s.oid and d.deptype = 'e')
) x
cross join lateral (values
  ('', 'exists', x.definition, format('drop statistics %s', x.name)),
  ('definition', x.definition, format('drop statistics %s; %s', x.name, x.definition), null),
  ('target', nullif(x.stxstattarget, -1)::text, format('alter statistics %s set statistics %s', x.name, x.stxstattarget), format('alter statistics %s set statistics -1', x.name)),
  ('owner', x.stxowner::pg_catalog.regrole::text, format('alter statistics %s owner to %s', x.name, x.stxowner::pg_catalog.regrole), null)
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: Comments
select 'cosmetic', 'comment', o.kind || ' ' || o.name, o.kind || ' ' || o.name, '', o.text, format('comment on %s %s is %L', o.kind, o.name, o.text), format('comment on %s %s is null', o.kind, o.name), o.written
from (
  select case when t.attname is not null then 'column' else case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
      when 'i' then 'index' when 'I' then 'index' when 'c' then 'type' else 'table' end end as kind,
    format('%I.%I', n.nspname, c.relname) || coalesce('.' || quote_ident(t.attname), '') as name, d.description as text, d.xmin as written
  from pg_catalog.pg_description d
  join pg_catalog.pg_class c on d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objoid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum = d.objsubid and d.objsubid > 0
  where n.nspname = any ($1)
  union all
  select 'function', format('%I.%I(%s)', n.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)), d.description, d.xmin
  from pg_catalog.pg_description d
  join pg_catalog.pg_proc f on d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and f.oid = d.objoid
  join pg_catalog.pg_namespace n on n.oid = f.pronamespace
  where n.nspname = any ($1)
  union all
  select 'schema', quote_ident(n.nspname), d.description, d.xmin
  from pg_catalog.pg_description d
  join pg_catalog.pg_namespace n on d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and n.oid = d.objoid
  where n.nspname = any ($1)
) o;

-- name: Extensions
select 'structure', 'extension', e.extname::text, 'extension ' || e.extname, a.aspect, a.value, a.make, a.unmake, e.xmin
from pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
cross join lateral (values
  ('', 'exists', format('create extension %I', e.extname), format('drop extension %I', e.extname)),
  ('schema', n.nspname::text, format('alter extension %I set schema %I', e.extname, n.nspname), null)
) a(aspect, value, make, unmake)
where e.extname = 'plpgsql' or n.nspname = any ($1);

-- name: EventTriggers
select 'security', 'event trigger', e.evtname::text, 'event trigger ' || e.evtname, a.aspect, a.value, a.make, a.unmake, e.xmin
from pg_catalog.pg_event_trigger e
cross join lateral (values
  ('', 'exists', format('create event trigger %I on %s execute function %s', e.evtname, e.evtevent, e.evtfoid::pg_catalog.regprocedure), format('drop event trigger %I', e.evtname)),
  ('definition', e.evtevent || ' ' || e.evtfoid::pg_catalog.regprocedure || ' ' || coalesce(array_to_string(e.evttags, ', '), ''), null, null),
  ('enabled', case e.evtenabled when 'D' then 'disabled' when 'R' then 'replica' when 'A' then 'always' else 'enabled' end,
    format('alter event trigger %I %s', e.evtname, case e.evtenabled when 'D' then 'disable' when 'R' then 'enable replica' when 'A' then 'enable always' else 'enable' end), null)
) a(aspect, value, make, unmake)
where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass and d.objid = e.oid and d.deptype = 'e')
  and not (pg_catalog.to_regrole('supabase_admin') is not null and e.evtowner::pg_catalog.regrole::text in ('supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin', 'dashboard_user'));

-- name: Publications
select 'security', 'publication', p.pubname::text, 'publication ' || p.pubname, '', format('%s%s', case when p.puballtables then 'all tables' end,
    (select string_agg(format('%I.%I', t.schemaname, t.tablename), ', ' order by 1) from pg_catalog.pg_publication_tables t where t.pubname = p.pubname and not p.puballtables)),
  null, format('drop publication %I', p.pubname), (
    select w.written from (
      select p.xmin as written
      union all select t.xmin from pg_catalog.pg_publication_rel t where t.prpubid = p.oid
      union all select t.xmin from pg_catalog.pg_publication_namespace t where t.pnpubid = p.oid
    ) w order by pg_catalog.age(w.written) limit 1)
from pg_catalog.pg_publication p
where p.puballtables or exists (select from pg_catalog.pg_publication_tables t where t.pubname = p.pubname and t.schemaname = any ($1));

-- name: Settings
select 'security', 'setting', split_part(s, '=', 1) || ' of ' || case when d.setdatabase <> 0 then 'this database' else 'all databases' end || coalesce(' for ' || r.rolname, ''), '', '',
  substr(s, strpos(s, '=') + 1), null,
  case when d.setdatabase = 0 then format('alter role %I reset %s', r.rolname, split_part(s, '=', 1))
    when d.setrole = 0 then format('alter database %I reset %s', pg_catalog.current_database(), split_part(s, '=', 1))
    else format('alter role %I in database %I reset %s', r.rolname, pg_catalog.current_database(), split_part(s, '=', 1)) end, d.xmin
from pg_catalog.pg_db_role_setting d
left join pg_catalog.pg_roles r on r.oid = d.setrole
cross join lateral unnest(d.setconfig) s
where not (pg_catalog.to_regrole('supabase_admin') is not null and r.rolname in ('anon', 'authenticated', 'service_role') and s like '%\_timeout=%') -- a Supabase project's
  and d.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
  and (d.setrole = 0 or r.rolname = any ($1));

-- name: Roles
select 'security', 'role', r.rolname::text, 'role ' || r.rolname, a.aspect, a.value, format('alter role %I %s', r.rolname, a.value), null, null::pg_catalog.xid
from pg_catalog.pg_roles r
cross join lateral (values
  ('', 'exists'),
  ('superuser', case when r.rolsuper then 'superuser' else 'nosuperuser' end),
  ('row security', case when r.rolbypassrls then 'bypassrls' else 'nobypassrls' end),
  ('login', case when r.rolcanlogin then 'login' else 'nologin' end),
  ('inherit', case when r.rolinherit then 'inherit' else 'noinherit' end),
  ('roles', case when r.rolcreaterole then 'createrole' else 'nocreaterole' end),
  ('databases', case when r.rolcreatedb then 'createdb' else 'nocreatedb' end),
  ('replication', case when r.rolreplication then 'replication' else 'noreplication' end)
) a(aspect, value)
where r.rolname = any ($1)
  and not (pg_catalog.to_regrole('supabase_admin') is not null and r.rolname in ('anon', 'authenticated', 'service_role') -- a Supabase project's, and used as they are
    and a.aspect in ('login', 'inherit', 'roles', 'databases'));

-- name: Memberships
select 'security', 'membership', format('%s in %s', m.rolname, r.rolname), '', '', case when a.admin_option then 'member, may admit others' else 'member' end,
  format('grant %I to %I', r.rolname, m.rolname), format('revoke %I from %I', r.rolname, m.rolname), a.xmin
from pg_catalog.pg_auth_members a
join pg_catalog.pg_roles r on r.oid = a.roleid
join pg_catalog.pg_roles m on m.oid = a.member
where (r.rolname = any ($1) or m.rolname = any ($1))
  and not (pg_catalog.to_regrole('supabase_admin') is not null
    and m.rolname in ('supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin', 'authenticator', 'dashboard_user', 'postgres'))
  and not (m.rolname = current_user and r.rolname in ('vital_owner', 'vital_definer', 'vital_sealer')); -- the operator, as roles.sql has it

-- name: ParameterPrivileges
select 'security', 'parameter privilege', format('%s on parameter %s to %s', x.privilege_type, p.parname, coalesce(g.rolname, 'public')), '', '',
  case when x.is_grantable then 'granted, may be passed on' else 'granted' end,
  format('grant %s on parameter %s to %s', x.privilege_type, p.parname, coalesce(quote_ident(g.rolname), 'public')),
  format('revoke %s on parameter %s from %s', x.privilege_type, p.parname, coalesce(quote_ident(g.rolname), 'public')), p.xmin
from pg_catalog.pg_parameter_acl p
cross join lateral pg_catalog.aclexplode(p.paracl) x
left join pg_catalog.pg_roles g on g.oid = x.grantee
where x.grantee = 0 or g.rolname = any ($1);

-- name: CommitTimesKept
-- On a standby it is the primary that decides, whose setting cannot be asked.
select pg_catalog.current_setting('track_commit_timestamp')::boolean and not pg_catalog.pg_is_in_recovery()
  and pg_catalog.has_function_privilege('pg_catalog.pg_xact_commit_timestamp(pg_catalog.xid)', 'execute');

-- name: CommitTimes
select x, pg_catalog.pg_xact_commit_timestamp(x::text::pg_catalog.xid) from unnest($1::bigint[]) x;

-- name: SearchPath
select pg_catalog.current_setting('search_path');

-- name: SearchPathSet
select pg_catalog.set_config('search_path', $1, false);

-- name: Inventoried
select array(
  select n.nspname::text from pg_catalog.pg_namespace n
  where n.nspname in ('public', 'vital') or n.nspname = 'auth' and not exists (select from pg_catalog.pg_roles r where r.oid = n.nspowner and r.rolname in ('supabase_admin', 'supabase_auth_admin')));
