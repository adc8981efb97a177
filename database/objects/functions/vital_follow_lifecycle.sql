-- after: vital_refuse_move.sql
-- after: vital_is_operator.sql
-- after: vital_author_id.sql
--
-- Trigger of organizations: keeps is_active and lifecycle_state in step, whichever of them is written, and
-- lets a tenant make no move but those of vital.lifecycle_moves. Writing is_active alone, as callers have
-- always done, activates a suspended tenant or suspends an active one; it approves and revives none. A
-- superuser alone may write any lifecycle_state, to mend a mistake. It notes who approved and when, which only
-- operators write otherwise.
create or replace function vital.follow_lifecycle() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  by_flag constant boolean := tg_op = 'UPDATE' and new.lifecycle_state = old.lifecycle_state and new.is_active is distinct from old.is_active;
begin
  if tg_op = 'INSERT' then
    if not new.is_active and new.lifecycle_state = 'active' then
      new.lifecycle_state := 'suspended';
    end if;
  elsif by_flag then
    if old.lifecycle_state in ('pending', 'archived') then
      perform vital.refuse_move(old.lifecycle_state);
    end if;
    new.lifecycle_state := case when new.is_active then 'active' else 'suspended' end;
  elsif new.lifecycle_state <> old.lifecycle_state
    and not exists (select from vital.lifecycle_moves() m where m.from_state = old.lifecycle_state and m.to_state = new.lifecycle_state)
    and not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
    perform vital.refuse_move(old.lifecycle_state);
  end if;
  if new.id = '00000000-0000-0000-0000-000000000001' and new.lifecycle_state <> 'active' then
    raise exception using errcode = 'VT203', message = 'The platform tenant stays active; allowed now: nothing.',
      hint = 'It owns what all tenants share.';
  end if;
  new.is_active := new.lifecycle_state = 'active';
  if tg_op = 'UPDATE' and old.lifecycle_state = 'pending' and new.lifecycle_state = 'active' then
    new.approved_at := transaction_timestamp();
    new.approved_by := vital.author_id();
  elsif not vital.is_operator() then
    new.approved_at := case tg_op when 'UPDATE' then old.approved_at end;
    new.approved_by := case tg_op when 'UPDATE' then old.approved_by end;
  end if;
  return new;
end
$$;
comment on function vital.follow_lifecycle() is 'Keeps organizations.is_active equal to lifecycle_state = active, and moves to those allowed';
