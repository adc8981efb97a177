What SQL itself means in a database, as rows of drift.sql: which code an operator, a cast or a sort runs, in which languages it may be written. None of
it is in a policy's text, and all of it can change what that text comes to: these differences are security, but for what only says how text is sorted or searched.
What everybody reaches without naming a schema, in pg_catalog or in none, is looked at where it was made after the server (oid 16384 and more).

-- name: Casts
select 'security', 'cast', k.name, 'cast ' || k.name, a.aspect, a.value, a.make, a.unmake, k.written
from (
  select c.xmin as written, format('%s as %s', pg_catalog.format_type(c.castsource, null), pg_catalog.format_type(c.casttarget, null)) as name,
    case c.castmethod when 'f' then 'with function ' || c.castfunc::pg_catalog.regprocedure when 'i' then 'with inout' else 'without function' end
      || case c.castcontext when 'a' then ' as assignment' when 'i' then ' as implicit' else '' end as definition
  from pg_catalog.pg_cast c
  join pg_catalog.pg_type s on s.oid = c.castsource
  join pg_catalog.pg_namespace sn on sn.oid = s.typnamespace
  join pg_catalog.pg_type t on t.oid = c.casttarget
  join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
  where c.oid >= 16384 and (sn.nspname = 'pg_catalog' or sn.nspname = any ($1) or tn.nspname = any ($1)) -- of values that our expressions have
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
) k
cross join lateral (values
  ('', 'exists', format('create cast (%s) %s', k.name, k.definition), format('drop cast (%s)', k.name)),
  ('definition', k.definition, format('drop cast (%1$s); create cast (%1$s) %2$s', k.name, k.definition), null)
) a(aspect, value, make, unmake);

-- name: Operators
select 'security', 'operator', o.name, 'operator ' || o.name, a.aspect, a.value, a.make, a.unmake, o.written
from (
  select p.xmin as written, p.oid::pg_catalog.regoperator::text as name, p.oprowner::pg_catalog.regrole as owner,
    format('%I.%s', n.nspname, p.oprname) as called,
    format('(%s, %s)', coalesce(pg_catalog.format_type(nullif(p.oprleft, 0), null), 'none'), pg_catalog.format_type(p.oprright, null)) as operands,
    case when p.oprcode <> 0 then format('function = %s', p.oprcode) -- else another operator names it, and nobody has made it
      || coalesce(', leftarg = ' || pg_catalog.format_type(nullif(p.oprleft, 0), null), '') || ', rightarg = ' || pg_catalog.format_type(p.oprright, null)
      || coalesce((select format(', commutator = operator(%I.%s)', cn.nspname, c.oprname) from pg_catalog.pg_operator c join pg_catalog.pg_namespace cn on cn.oid = c.oprnamespace where c.oid = p.oprcom), '')
      || coalesce((select format(', negator = operator(%I.%s)', cn.nspname, c.oprname) from pg_catalog.pg_operator c join pg_catalog.pg_namespace cn on cn.oid = c.oprnamespace where c.oid = p.oprnegate), '')
      || coalesce(', restrict = ' || nullif(p.oprrest, 0), '') || coalesce(', join = ' || nullif(p.oprjoin, 0), '')
      || case when p.oprcanhash then ', hashes' else '' end || case when p.oprcanmerge then ', merges' else '' end
    end as definition
  from pg_catalog.pg_operator p
  join pg_catalog.pg_namespace n on n.oid = p.oprnamespace
  where (n.nspname = any ($1) or n.nspname = 'pg_catalog' and p.oid >= 16384)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
) o
cross join lateral (values
  ('', 'exists', format('create operator %s (%s)', o.called, o.definition), format('drop operator %s %s', o.called, o.operands)),
  ('definition', o.definition, format('drop operator %1$s %2$s; create operator %1$s (%3$s)', o.called, o.operands, o.definition), null),
  ('owner', o.owner::text, format('alter operator %s %s owner to %s', o.called, o.operands, o.owner), null)
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: OperatorFamilies
-- How an index and a sort compare: families, their classes, and the operators and functions within, built-in families included.
with family as (
  select f.oid, f.xmin as written, f.opfowner::pg_catalog.regrole as owner, m.amname, n.nspname, format('%I.%I using %I', n.nspname, f.opfname, m.amname) as name, format('%I.%I', n.nspname, f.opfname) as called
  from pg_catalog.pg_opfamily f
  join pg_catalog.pg_namespace n on n.oid = f.opfnamespace
  join pg_catalog.pg_am m on m.oid = f.opfmethod
  where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and d.objid = f.oid and d.deptype = 'e')
),
class as (
  select c.oid, c.xmin as written, c.opcowner::pg_catalog.regrole as owner, format('%I.%I using %I', n.nspname, c.opcname, f.amname) as name,
    format('%sfor type %s using %I family %s', case when c.opcdefault then 'default ' else '' end, pg_catalog.format_type(c.opcintype, null), f.amname, f.called) as definition,
    'storage ' || pg_catalog.format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), null) as storage, format('%I.%I', n.nspname, c.opcname) as called
  from pg_catalog.pg_opclass c
  join pg_catalog.pg_namespace n on n.oid = c.opcnamespace
  join family f on f.oid = c.opcfamily
  where (n.nspname = any ($1) or n.nspname = 'pg_catalog' and c.oid >= 16384)
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
),
member as (
  select 'pg_catalog.pg_amop'::pg_catalog.regclass as catalog, o.oid, o.xmin as written, o.amopfamily as family, 'operator' as kind, o.amopstrategy as number,
    format('(%s, %s)', pg_catalog.format_type(o.amoplefttype, null), pg_catalog.format_type(o.amoprighttype, null)) as operands,
    o.amopopr::pg_catalog.regoperator || coalesce((select ' for order by ' || s.called from family s where s.oid = o.amopsortfamily), '') as value
  from pg_catalog.pg_amop o where o.oid >= 16384
  union all
  select 'pg_catalog.pg_amproc'::pg_catalog.regclass, p.oid, p.xmin, p.amprocfamily, 'function', p.amprocnum,
    format('(%s, %s)', pg_catalog.format_type(p.amproclefttype, null), pg_catalog.format_type(p.amprocrighttype, null)), p.amproc::pg_catalog.regprocedure::text
  from pg_catalog.pg_amproc p where p.oid >= 16384
),
placed as ( -- what belongs to a class goes with it
  select m.*, f.name as family_name, f.called, f.amname, c.oid as class, c.name as class_name
  from member m
  join family f on f.oid = m.family and (f.nspname = 'pg_catalog' or f.nspname = any ($1))
  left join pg_catalog.pg_depend d on d.classid = m.catalog and d.objid = m.oid and d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and d.deptype = 'i'
  left join class c on c.oid = d.refobjid
  where not exists (select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and e.objid = d.refobjid and e.deptype = 'e')
)
select 'security', 'operator family', f.name, 'operator family ' || f.name, a.aspect, a.value, a.make, a.unmake, f.written
from family f
cross join lateral (values
  ('', 'exists', format('create operator family %s using %I', f.called, f.amname), format('drop operator family %s using %I', f.called, f.amname)),
  ('owner', f.owner::text, format('alter operator family %s using %I owner to %s', f.called, f.amname, f.owner), null)
) a(aspect, value, make, unmake)
where f.nspname = any ($1) or f.nspname = 'pg_catalog' and f.oid >= 16384
union all
select 'security', 'operator class', c.name, 'operator class ' || c.name, a.aspect, a.value, a.make, a.unmake, c.written
from class c
cross join lateral (select 'create operator class ' || c.called || ' ' || c.definition || ' as '
  || coalesce((select pg_catalog.string_agg(format('%s %s %s%s', m.kind, m.number, case m.kind when 'function' then m.operands || ' ' end, m.value), ', ' order by m.kind desc, m.number) from placed m where m.class = c.oid), c.storage) as made) d
cross join lateral (values
  ('', 'exists', d.made, 'drop operator class ' || c.name),
  ('definition', c.definition, format('drop operator class %s; %s', c.name, d.made), null),
  ('owner', c.owner::text, format('alter operator class %s owner to %s', c.name, c.owner), null)
) a(aspect, value, make, unmake)
union all
select 'security', 'operator family member', format('%s %s %s of %s', m.kind, m.number, m.operands, m.family_name),
  case when m.class is null then 'operator family ' || m.family_name else 'operator class ' || m.class_name end, '', m.value,
  format('alter operator family %s using %I add %s %s %s%s', m.called, m.amname, m.kind, m.number, case m.kind when 'function' then m.operands || ' ' end, m.value),
  format('alter operator family %s using %I drop %s %s %s', m.called, m.amname, m.kind, m.number, m.operands), m.written
from placed m;

-- name: Languages
-- Those of extensions too: whoever may use one may have the server run what is written in it.
select 'security', 'language', l.name, coalesce('extension ' || l.extension, 'language ' || l.name), a.aspect, a.value, a.make, a.unmake, l.written
from (
  select g.*, g.xmin as written, quote_ident(g.lanname) as name, e.extname::text as extension,
    concat_ws(' ', case when g.lanplcallfoid <> 0 then 'handler ' || g.lanplcallfoid::pg_catalog.regproc end, case when g.laninline <> 0 then 'inline ' || g.laninline::pg_catalog.regproc end,
      case when g.lanvalidator <> 0 then 'validator ' || g.lanvalidator::pg_catalog.regproc end) as code
  from pg_catalog.pg_language g
  left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_language'::pg_catalog.regclass and d.objid = g.oid and d.deptype = 'e'
  left join pg_catalog.pg_extension e on e.oid = d.refobjid
) l
cross join lateral (values
  ('', 'exists', coalesce('create extension ' || quote_ident(l.extension), format('create%s language %s %s', case when l.lanpltrusted then ' trusted' end, l.name, l.code)),
    coalesce('drop extension ' || quote_ident(l.extension), format('drop language %s', l.name))),
  ('trusted', case when l.lanpltrusted then 'trusted' else 'untrusted' end, null, null),
  ('code', nullif(l.code, ''), format('create or replace%s language %s %s', case when l.lanpltrusted then ' trusted' end, l.name, l.code), null),
  ('owner', case when l.oid >= 16384 then l.lanowner::pg_catalog.regrole::text end, format('alter language %s owner to %s', l.name, l.lanowner::pg_catalog.regrole), null)
) a(aspect, value, make, unmake)
where a.value is not null;

-- name: AccessMethods
select 'security', 'access method', quote_ident(m.amname), 'access method ' || quote_ident(m.amname), a.aspect, a.value, a.make, a.unmake, m.xmin
from pg_catalog.pg_am m
cross join lateral (select format('create access method %I type %s handler %s', m.amname, case m.amtype when 't' then 'table' else 'index' end, m.amhandler) as made) d
cross join lateral (values
  ('', 'exists', d.made, format('drop access method %I', m.amname)),
  ('definition', d.made, format('drop access method %I; %s', m.amname, d.made), null)
) a(aspect, value, make, unmake)
where m.oid >= 16384
  and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_am'::pg_catalog.regclass and e.objid = m.oid and e.deptype = 'e');

-- name: Transforms
select 'security', 'transform', t.name, 'transform ' || t.name, a.aspect, a.value, a.make, a.unmake, t.written
from (
  select f.xmin as written, format('for %s language %I', pg_catalog.format_type(f.trftype, null), l.lanname) as name,
    concat_ws(', ', case when f.trffromsql <> 0 then 'from sql with function ' || f.trffromsql::pg_catalog.regprocedure end,
      case when f.trftosql <> 0 then 'to sql with function ' || f.trftosql::pg_catalog.regprocedure end) as definition
  from pg_catalog.pg_transform f
  join pg_catalog.pg_language l on l.oid = f.trflang
  where not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_transform'::pg_catalog.regclass and e.objid = f.oid and e.deptype = 'e')
) t
cross join lateral (values
  ('', 'exists', format('create transform %s (%s)', t.name, t.definition), format('drop transform %s', t.name)),
  ('definition', t.definition, format('create or replace transform %s (%s)', t.name, t.definition), null)
) a(aspect, value, make, unmake);

-- name: Conversions
select 'security', 'conversion', c.name, 'conversion ' || c.name, a.aspect, a.value, a.make, a.unmake, c.written
from (
  select v.xmin as written, v.conowner::pg_catalog.regrole as owner, format('%I.%I', n.nspname, v.conname) as name, case when v.condefault then ' default' else '' end as usual,
    format('for %L to %L from %s', pg_catalog.pg_encoding_to_char(v.conforencoding), pg_catalog.pg_encoding_to_char(v.contoencoding), v.conproc) as definition
  from pg_catalog.pg_conversion v
  join pg_catalog.pg_namespace n on n.oid = v.connamespace
  where (n.nspname = any ($1) or n.nspname = 'pg_catalog' and v.oid >= 16384)
    and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_conversion'::pg_catalog.regclass and e.objid = v.oid and e.deptype = 'e')
) c
cross join lateral (values
  ('', 'exists', format('create%s conversion %s %s', c.usual, c.name, c.definition), format('drop conversion %s', c.name)),
  ('definition', ltrim(c.usual || ' ' || c.definition), format('drop conversion %1$s; create%2$s conversion %1$s %3$s', c.name, c.usual, c.definition), null),
  ('owner', c.owner::text, format('alter conversion %s owner to %s', c.name, c.owner), null)
) a(aspect, value, make, unmake);

-- name: Collations
-- How text is sorted, and what of it is the same. Only a column that has one comes to something else, and is a difference by itself.
select 'structure', 'collation', c.name, 'collation ' || c.name, a.aspect, a.value, a.make, a.unmake, c.written
from (
  select l.xmin as written, l.collowner::pg_catalog.regrole as owner, format('%I.%I', n.nspname, l.collname) as name,
    l.collcollate, l.collctype, coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale') as locale, l.collprovider, l.collisdeterministic
  from pg_catalog.pg_collation l
  join pg_catalog.pg_namespace n on n.oid = l.collnamespace
  where n.nspname = any ($1)
    and not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass and e.objid = l.oid and e.deptype = 'e')
) c
cross join lateral (select concat_ws(', ', 'provider = ' || case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end, 'lc_collate = ' || quote_literal(c.collcollate),
  'lc_ctype = ' || quote_literal(c.collctype), 'locale = ' || quote_literal(c.locale), 'deterministic = ' || c.collisdeterministic) as definition) d
cross join lateral (values
  ('', 'exists', format('create collation %s (%s)', c.name, d.definition), format('drop collation %s', c.name)),
  ('definition', d.definition, format('drop collation %1$s; create collation %1$s (%2$s)', c.name, d.definition), null),
  ('owner', c.owner::text, format('alter collation %s owner to %s', c.name, c.owner), null)
) a(aspect, value, make, unmake);

-- name: TextSearch
-- Parsers and templates are code, what is made of them says how text is searched.
select t.severity, t.kind, t.name, t.kind || ' ' || t.name, a.aspect, a.value, a.make, a.unmake, t.written
from (
  select 'structure' as severity, 'text search configuration' as kind, 'pg_catalog.pg_ts_config'::pg_catalog.regclass as catalog, c.oid, c.xmin as written, c.cfgnamespace as namespace, c.cfgname as called,
    c.cfgowner::pg_catalog.regrole as owner, format('parser = %s%s', (select p.prsname from pg_catalog.pg_ts_parser p where p.oid = c.cfgparser), (
      select ': ' || pg_catalog.string_agg(format('%s %s', m.maptokentype, m.mapdict::pg_catalog.regdictionary), ', ' order by m.maptokentype, m.mapseqno) from pg_catalog.pg_ts_config_map m where m.mapcfg = c.oid)) as definition,
    format('(parser = %s)', (select format('%I.%I', n.nspname, p.prsname) from pg_catalog.pg_ts_parser p join pg_catalog.pg_namespace n on n.oid = p.prsnamespace where p.oid = c.cfgparser)) as made
  from pg_catalog.pg_ts_config c
  union all
  select 'structure', 'text search dictionary', 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, d.oid, d.xmin, d.dictnamespace, d.dictname, d.dictowner::pg_catalog.regrole,
    o.options, format('(%s)', o.options)
  from pg_catalog.pg_ts_dict d
  cross join lateral (select concat_ws(', ', 'template = ' || (select format('%I.%I', n.nspname, p.tmplname) from pg_catalog.pg_ts_template p join pg_catalog.pg_namespace n on n.oid = p.tmplnamespace where p.oid = d.dicttemplate),
    d.dictinitoption) as options) o
  union all
  select 'security', 'text search parser', 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, p.oid, p.xmin, p.prsnamespace, p.prsname, null, o.options, format('(%s)', o.options)
  from pg_catalog.pg_ts_parser p
  cross join lateral (select format('start = %s, gettoken = %s, end = %s, lextypes = %s', p.prsstart, p.prstoken, p.prsend, p.prslextype) || coalesce(', headline = ' || nullif(p.prsheadline, 0), '') as options) o
  union all
  select 'security', 'text search template', 'pg_catalog.pg_ts_template'::pg_catalog.regclass, p.oid, p.xmin, p.tmplnamespace, p.tmplname, null, o.options, format('(%s)', o.options)
  from pg_catalog.pg_ts_template p
  cross join lateral (select concat_ws(', ', 'init = ' || nullif(p.tmplinit, 0), 'lexize = ' || p.tmpllexize) as options) o
) s
join pg_catalog.pg_namespace n on n.oid = s.namespace and (n.nspname = any ($1) or n.nspname = 'pg_catalog' and s.oid >= 16384)
cross join lateral (select s.severity, s.kind, s.written, s.owner, s.definition, s.made, format('%I.%I', n.nspname, s.called) as name) t
cross join lateral (values
  ('', 'exists', format('create %s %s %s', t.kind, t.name, t.made), format('drop %s %s', t.kind, t.name)),
  ('definition', t.definition, null, null),
  ('owner', t.owner::text, format('alter %s %s owner to %s', t.kind, t.name, t.owner), null)
) a(aspect, value, make, unmake)
where a.value is not null
  and not exists (select from pg_catalog.pg_depend e where e.classid = s.catalog and e.objid = s.oid and e.deptype = 'e');
