-- title: A function that every server must have
-- level: notice
-- scope: any
-- kind: function
-- hint: Policies, defaults and checks run where the rows lie. What they call must be there, and what that reads: hand such answers down with the transaction (SET LOCAL) instead.
, called as (
  select d.refobjid as function, pg_catalog.string_agg(distinct t.name, ', ') as tables
  from pg_catalog.pg_depend d
  left join pg_catalog.pg_policy p on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and p.oid = d.objid
  left join pg_catalog.pg_attrdef a on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and a.oid = d.objid
  left join pg_catalog.pg_constraint k on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid and k.contype = 'c'
  join distributed t on t.oid = coalesce(p.polrelid, a.adrelid, k.conrelid)
  where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  group by d.refobjid
),
within (function, callee) as (
  select c.function, c.function from called c
  union
  select w.function, f.callee from within w join function_call f on f.caller = w.callee
)
select f.oid::pg_catalog.regprocedure::text as object, 'called for ' || c.tables || coalesce('; reads ' || r.names || ' of the coordinator', '')
  || '; select create_distributed_function(' || pg_catalog.quote_literal(f.oid::pg_catalog.regprocedure::text) || ')' as detail
from called c
join pg_catalog.pg_proc f on f.oid = c.function and f.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
cross join lateral (
  select pg_catalog.string_agg(distinct p.name, ', ') as names
  from within w
  join function_text x on x.oid = w.callee
  join placed p on p.place = 'coordinator' and pg_catalog.strpos(x.body, p.name) > 0 and x.body ~ ('\m' || pg_catalog.replace(p.name, '.', '\.') || '\M')
  where w.function = c.function
) r
where not exists (
  select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and e.objid = f.oid and e.deptype = 'e')
