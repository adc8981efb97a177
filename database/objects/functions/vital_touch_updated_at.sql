-- Trigger: sets updated_at when a row changes.
create or replace function vital.touch_updated_at() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := transaction_timestamp();
  return new;
end
$$;
comment on function vital.touch_updated_at() is 'Sets updated_at on update';
