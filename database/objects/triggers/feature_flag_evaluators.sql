-- Triggers of public.feature_flag_evaluators.
drop trigger if exists feature_flag_evaluators_serialize on public.feature_flag_evaluators;
create trigger feature_flag_evaluators_serialize before insert or update or delete on public.feature_flag_evaluators
  for each statement execute function vital.serialize_definitions();
drop trigger if exists feature_flag_evaluators_keep on public.feature_flag_evaluators;
create trigger feature_flag_evaluators_keep before update or delete on public.feature_flag_evaluators
  for each row execute function vital.keep_evaluator();
drop trigger if exists feature_flag_evaluators_touch on public.feature_flag_evaluators;
create trigger feature_flag_evaluators_touch before update on public.feature_flag_evaluators
  for each row execute function vital.touch_updated_at();
drop trigger if exists feature_flag_evaluators_record_change on public.feature_flag_evaluators;
create trigger feature_flag_evaluators_record_change after insert or update or delete on public.feature_flag_evaluators
  for each row execute function vital.record_change('global', '');
drop trigger if exists feature_flag_evaluators_audit on public.feature_flag_evaluators;
create trigger feature_flag_evaluators_audit after insert or update or delete on public.feature_flag_evaluators
  for each row execute function vital.audit_change('');
