-- owner: vital_definer
--
-- Trigger of feature_flag_evaluators, before one is deleted or renamed: what rules refer to stays. Definer,
-- because it looks at every flag.
create or replace function vital.keep_evaluator() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  user_of_it text;
begin
  if tg_op = 'DELETE' or new.name <> old.name then
    select r.name into user_of_it
    from (
      select 'flag ' || f.flag_key as name, f.targeting as rule from public.feature_flags f
      union all
      select 'evaluator ' || e.name, e.rule from public.feature_flag_evaluators e where e.id <> old.id
    ) r
    where jsonb_path_exists(r.rule, '$.**."$ref" ? (@ == $name)', jsonb_build_object('name', old.name))
    order by r.name
    limit 1;
    if found then
      raise exception using errcode = 'VT203', message = format('The %s refers to this evaluator.', user_of_it),
        hint = 'Change its rules first.';
    end if;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;
comment on function vital.keep_evaluator() is 'Keeps evaluators that rules refer to';
grant execute on function vital.keep_evaluator() to vital_owner; -- to attach it to a table
