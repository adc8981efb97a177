-- title: Policies believe a setting that any SQL can change
-- level: risk
-- scope: any
-- kind: setting
-- hint: SQL injected into a request can set it and be another tenant. Verify a signature over it, or make sure no request runs SQL of its own.
select s.setting as object, 'read by ' || pg_catalog.string_agg(distinct s.place, ', ')
    || case when pg_catalog.bool_or(s.strict) then '; without missing_ok it is an error where nothing is set' else '' end as detail
from (
  select m.found[1] as setting, m.found[2] !~ '^\s*,' as strict, p.table_name || ' (' || p.name || ')' as place
  from policy p
  join policy_clause c on c.policy = p.oid
  cross join lateral pg_catalog.regexp_matches(c.expression, 'current_setting\(''([^'']+\.[^'']+)''(?:::text)?\s*([,)])', 'g') as m(found)
  where p.oid in (select r.policy from policy_role r)
  union all
  select m.found[1], m.found[2] !~ '^\s*,', o.name
  from own_function o
  cross join lateral pg_catalog.regexp_matches(o.prosrc, 'current_setting\s*\(\s*''([^'']+\.[^'']+)''(?:::text)?\s*([,)])', 'g') as m(found)
  where o.oid in (select f.oid from policy_function f) and o.name not like 'vital.%' -- those verify a seal
) s
group by s.setting
