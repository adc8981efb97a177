-- Trigger of organizations: keeps is_active and lifecycle_state in step, whichever of them is written.
-- Writing is_active alone, as callers have always done, activates or suspends.
create or replace function vital.follow_lifecycle() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    if not new.is_active and new.lifecycle_state = 'active' then
      new.lifecycle_state := 'suspended';
    end if;
  elsif new.lifecycle_state = old.lifecycle_state and new.is_active is distinct from old.is_active then
    new.lifecycle_state := case when new.is_active then 'active' else 'suspended' end;
  end if;
  new.is_active := new.lifecycle_state = 'active';
  return new;
end
$$;
comment on function vital.follow_lifecycle() is 'Keeps organizations.is_active equal to lifecycle_state = active';
