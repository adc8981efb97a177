-- Triggers of public.users.
drop trigger if exists users_touch on public.users;
create trigger users_touch before update on public.users
  for each row execute function vital.touch_updated_at();
drop trigger if exists users_record_change on public.users;
create trigger users_record_change after insert or update or delete on public.users
  for each row execute function vital.record_change('self', 'id');
