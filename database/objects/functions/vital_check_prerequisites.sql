-- owner: vital_definer
-- after: vital_require_value.sql
--
-- Refuses prerequisites of a flag that are malformed, name a flag or a variant there is not, or lead back to
-- the flag. Definer, because it looks at every flag; executable by no role.
create or replace function vital.check_prerequisites(p_flag public.feature_flags) returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  hint constant text := 'A prerequisite is {"flag_key": …, "variants": [names]}.';
  needed record;
  problem text;
  circle text[];
begin
  for needed in
    select p.value as entry, p.place - 1 as place, f.id, f.flag_type, f.variants
    from jsonb_array_elements(p_flag.prerequisites) with ordinality p (value, place)
    left join public.feature_flags f on f.flag_key = p.value ->> 'flag_key'
    order by p.place
  loop
    problem := case
      when jsonb_typeof(needed.entry) <> 'object' then 'is not an object'
      when exists (select from jsonb_object_keys(needed.entry) k where k not in ('flag_key', 'variants')) then 'has a field that is not known'
      when jsonb_typeof(needed.entry -> 'flag_key') is distinct from 'string' then 'has no flag_key'
      when jsonb_typeof(needed.entry -> 'variants') is distinct from 'array' or needed.entry -> 'variants' = '[]' then 'has no variants'
      when needed.id is null then format('names a flag there is not: %s', needed.entry ->> 'flag_key')
      else (
        select format('names a variant that %s does not have: %s', needed.entry ->> 'flag_key', v #>> '{}')
        from jsonb_array_elements(needed.entry -> 'variants') v
        where jsonb_typeof(v) <> 'string' or not (
          needed.variants ? (v #>> '{}')
          or needed.flag_type = 'boolean' and needed.variants = '{}' and v #>> '{}' in ('on', 'off'))
        limit 1)
    end;
    if problem is not null then
      raise exception using errcode = 'VT209', message = format('prerequisites[%s] of %s %s.', needed.place, p_flag.flag_key, problem), hint = hint;
    end if;
  end loop;

  with recursive chain (flag_key, path) as (
    select p ->> 'flag_key', array[p_flag.flag_key, p ->> 'flag_key'] from jsonb_array_elements(p_flag.prerequisites) p
    union all
    select p ->> 'flag_key', c.path || (p ->> 'flag_key')
    from chain c
    join public.feature_flags f on f.flag_key = c.flag_key
    cross join jsonb_array_elements(f.prerequisites) p
    where c.flag_key <> p_flag.flag_key
  ) cycle flag_key set is_cycle using visited
  select c.path into circle from chain c where c.flag_key = p_flag.flag_key limit 1;
  if circle is not null then
    raise exception using errcode = 'VT209', message = format('The prerequisites lead back to the flag: %s.', array_to_string(circle, ' needs ')),
      hint = 'Take one of them away.';
  end if;
end
$$;
comment on function vital.check_prerequisites(public.feature_flags) is 'Refuses prerequisites that are malformed, unknown or lead in a circle';
