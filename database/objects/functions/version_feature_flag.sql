-- owner: vital_definer
-- after: vital_author_id.sql
--
-- Trigger of feature_flags: keeps every state a definition has had, with who made it and why. The number is
-- the row's own, counted under its lock by vital.number_feature_flag: two writers never get the same.
-- Definer, because nobody writes the history but this.
create or replace function public.version_feature_flag() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new.version = old.version then
    return null; -- nothing changed
  end if;
  insert into public.feature_flag_versions (feature_flag_id, version, config, reason, created_by)
  values (new.id, new.version, to_jsonb(new), nullif(current_setting('vital.reason', true), ''), vital.author_id());
  return null;
end
$$;
comment on function public.version_feature_flag() is 'Keeps every state of a flag definition';
grant execute on function public.version_feature_flag() to vital_owner; -- to attach it to a table
