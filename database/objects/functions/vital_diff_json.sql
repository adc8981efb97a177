-- Where two JSON values differ: the JSON pointer of each leaf (a scalar, an empty object or array), with
-- what is there in the one and in the other; SQL null where nothing is.
create or replace function vital.diff_json(p_before jsonb, p_after jsonb) returns table (path text, before jsonb, after jsonb)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  with recursive node (side, path, value) as (
    select s.side, '', s.value from (values ('before', p_before), ('after', p_after)) s (side, value) where s.value is not null
    union all
    select n.side, n.path || '/' || c.step, c.value
    from node n
    cross join lateral (
      select replace(replace(e.key, '~', '~0'), '/', '~1') as step, e.value from jsonb_each(case jsonb_typeof(n.value) when 'object' then n.value end) e
      union all
      select (e.place - 1)::text, e.value from jsonb_array_elements(case jsonb_typeof(n.value) when 'array' then n.value end) with ordinality e (value, place)
    ) c
  ), leaf as (
    select n.* from node n where jsonb_typeof(n.value) not in ('object', 'array') or n.value in ('{}', '[]')
  )
  select coalesce(b.path, a.path), b.value, a.value
  from (select l.path, l.value from leaf l where l.side = 'before') b
  full join (select l.path, l.value from leaf l where l.side = 'after') a on a.path = b.path
  where b.value is distinct from a.value
  order by 1
$$;
comment on function vital.diff_json(jsonb, jsonb) is 'Where two JSON values differ, leaf by leaf';
grant execute on function vital.diff_json(jsonb, jsonb) to authenticated, service_role;
