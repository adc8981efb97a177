-- Triggers of public.feature_flags.
drop trigger if exists feature_flags_touch on public.feature_flags; -- its number says when, too
drop trigger if exists feature_flags_serialize on public.feature_flags;
create trigger feature_flags_serialize before insert or update or delete on public.feature_flags
  for each statement execute function vital.serialize_definitions();
drop trigger if exists feature_flags_number on public.feature_flags;
create trigger feature_flags_number before insert or update on public.feature_flags
  for each row execute function vital.number_feature_flag();
drop trigger if exists feature_flags_check on public.feature_flags;
create trigger feature_flags_check after insert or update on public.feature_flags
  for each row execute function vital.check_feature_flag();
drop trigger if exists feature_flags_needed on public.feature_flags;
create constraint trigger feature_flags_needed after update on public.feature_flags
  deferrable initially deferred
  for each row when ((new.variants, new.flag_type) is distinct from (old.variants, old.flag_type)) execute function vital.check_needing_flags();
drop trigger if exists feature_flag_versioning on public.feature_flags;
create trigger feature_flag_versioning after insert or update on public.feature_flags
  for each row execute function public.version_feature_flag();
drop trigger if exists feature_flags_record_change on public.feature_flags;
create trigger feature_flags_record_change after insert or update or delete on public.feature_flags
  for each row execute function vital.record_change('global', '');
drop trigger if exists feature_flags_audit on public.feature_flags;
create trigger feature_flags_audit after insert or update or delete on public.feature_flags
  for each row execute function vital.audit_change('');
