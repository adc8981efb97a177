-- Trigger of feature_flags, before a row is written: counts its version. What a writer says of it is not
-- heard; a row that stays as it is keeps its number.
create or replace function vital.number_feature_flag() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    new.version := 1;
  else
    new.version := old.version;
    new.updated_at := old.updated_at;
    if new is distinct from old then
      new.version := old.version + 1;
      new.updated_at := transaction_timestamp();
    end if;
  end if;
  return new;
end
$$;
comment on function vital.number_feature_flag() is 'Counts the version of a flag definition';
