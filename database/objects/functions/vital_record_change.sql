-- owner: vital_definer
--
-- Trigger of the tables a context is made of: notes which scope the transaction touched. The first
-- argument is the scope, the second the column that holds its key ('' for the global scope). The
-- version itself is raised once, at commit, by vital.settle_versions.
create or replace function vital.record_change() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  old_key uuid;
  new_key uuid;
begin
  if tg_argv[1] = 'tenant_id' then
    if tg_op <> 'INSERT' then old_key := old.tenant_id; end if;
    if tg_op <> 'DELETE' then new_key := new.tenant_id; end if;
  elsif tg_argv[1] = 'user_id' then
    if tg_op <> 'INSERT' then old_key := old.user_id; end if;
    if tg_op <> 'DELETE' then new_key := new.user_id; end if;
  elsif tg_argv[1] = 'session_id' then
    new_key := new.session_id;
  elsif tg_argv[1] = 'id' then
    if tg_op <> 'INSERT' then old_key := old.id; end if;
    if tg_op <> 'DELETE' then new_key := new.id; end if;
  else
    new_key := '00000000-0000-0000-0000-000000000000';
  end if;
  insert into vital.pending_versions (xid, scope, key)
  select pg_current_xact_id(), tg_argv[0], k
  from unnest(array[old_key, new_key]) as k
  where k is not null
  on conflict do nothing;
  insert into vital.pending_versions (xid, scope, key)
  values (pg_current_xact_id(), 'settle', '00000000-0000-0000-0000-000000000000') -- fires vital.settle, once
  on conflict do nothing;
  return null;
end
$$;
comment on function vital.record_change() is 'Notes the scope a change touches; its version rises at commit';
grant execute on function vital.record_change() to vital_owner; -- to attach it to a table
