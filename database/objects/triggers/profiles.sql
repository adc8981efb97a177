-- Triggers of public.profiles.
drop trigger if exists profiles_touch on public.profiles;
create trigger profiles_touch before update on public.profiles
  for each row execute function vital.touch_updated_at();
drop trigger if exists profiles_record_change on public.profiles;
create trigger profiles_record_change after insert or update or delete on public.profiles
  for each row execute function vital.record_change('self', 'id');
