-- Triggers of vital.settings: who may see which context hangs on it.
drop trigger if exists settings_record_change on vital.settings;
create trigger settings_record_change after update of break_glass_required on vital.settings
  for each row execute function vital.record_change('global', '');
