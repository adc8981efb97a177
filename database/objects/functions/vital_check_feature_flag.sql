-- owner: vital_definer
-- after: vital_require_value.sql
-- after: vital_check_prerequisites.sql
--
-- Trigger of feature_flags, after a row is written: holds a definition to what it says of itself (values of
-- its type) and of others (prerequisites that exist, name a variant of theirs, and do not lead back). Asked only
-- where that part changed, so a flag can always be switched off. Definitions are written by one transaction after
-- another (vital.serialize_definitions), so what is seen here holds. Rules are looked at where they are evaluated.
-- Definer, because it looks at every flag.
create or replace function vital.check_feature_flag() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  fresh constant boolean := tg_op = 'INSERT';
  wrong text;
begin
  if fresh or (new.variants, new.flag_type) is distinct from (old.variants, old.flag_type) then
    select v.key into wrong from jsonb_each(new.variants) v where jsonb_typeof(v.value) <> new.flag_type order by v.key limit 1;
    perform vital.require_value(wrong is null, 'variants.' || wrong, 'of the flag''s type, ' || new.flag_type);
  end if;
  if fresh or new.prerequisites is distinct from old.prerequisites then
    perform vital.check_prerequisites(new);
  end if;
  if not fresh and new.flag_key <> old.flag_key then
    select f.flag_key into wrong from public.feature_flags f
    where f.prerequisites @> jsonb_build_array(jsonb_build_object('flag_key', old.flag_key)) order by f.flag_key limit 1;
    if found then
      raise exception using errcode = 'VT203', message = format('The flag %s needs this one under its name.', wrong),
        hint = 'Take it from the other flag''s prerequisites first.';
    end if;
  end if;
  return null;
end
$$;
comment on function vital.check_feature_flag() is 'Holds a flag definition to what it says of itself and of others';
grant execute on function vital.check_feature_flag() to vital_owner; -- to attach it to a table
