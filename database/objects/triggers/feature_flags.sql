-- Triggers of public.feature_flags.
drop trigger if exists feature_flags_touch on public.feature_flags;
create trigger feature_flags_touch before update on public.feature_flags
  for each row execute function vital.touch_updated_at();
drop trigger if exists feature_flags_record_change on public.feature_flags;
create trigger feature_flags_record_change after insert or update or delete on public.feature_flags
  for each row execute function vital.record_change('global', '');
drop trigger if exists feature_flags_audit on public.feature_flags;
create trigger feature_flags_audit after insert or update or delete on public.feature_flags
  for each row execute function vital.audit_change('');
