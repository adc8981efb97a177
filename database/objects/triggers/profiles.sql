-- Triggers of public.profiles.
drop trigger if exists profiles_touch on public.profiles;
create trigger profiles_touch before update on public.profiles
  for each row execute function vital.touch_updated_at();
drop trigger if exists profiles_record_change on public.profiles;
create trigger profiles_record_change after insert or update or delete on public.profiles
  for each row execute function vital.record_change('self', 'id');
-- A profile is its user's own business, but for the platform-wide role.
drop trigger if exists profiles_audit on public.profiles;
create trigger profiles_audit after update of role on public.profiles
  for each row when (old.role is distinct from new.role) execute function vital.audit_change('');
drop trigger if exists profiles_audit_made on public.profiles;
create trigger profiles_audit_made after insert on public.profiles
  for each row when (new.role <> 'user') execute function vital.audit_change('');
drop trigger if exists profiles_audit_gone on public.profiles;
create trigger profiles_audit_gone after delete on public.profiles
  for each row when (old.role <> 'user') execute function vital.audit_change('');
