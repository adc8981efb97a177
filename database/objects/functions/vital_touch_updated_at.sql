-- after: vital_is_restoring.sql
--
-- Trigger: sets updated_at when a row changes. A row that is put back as it was keeps what it had.
create or replace function vital.touch_updated_at() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(current_setting('vital.restoring', true), '') is not null then
    if vital.is_restoring() then -- apart, because whoever may not call it may write all the same
      return new;
    end if;
  end if;
  new.updated_at := transaction_timestamp();
  return new;
end
$$;
comment on function vital.touch_updated_at() is 'Sets updated_at on update';
