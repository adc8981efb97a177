-- Triggers of vital.weekly_reports.
drop trigger if exists weekly_reports_keep on vital.weekly_reports;
create trigger weekly_reports_keep before update on vital.weekly_reports
  for each row when (old.is_over) execute function vital.refuse_report_change();
