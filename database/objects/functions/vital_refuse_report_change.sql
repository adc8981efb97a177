-- Trigger of weekly_reports: the report of a week that is over says ever after what was measured then.
create or replace function vital.refuse_report_change() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'VT201', message = format('The report of %s is made, and not made again.', old.week),
    hint = 'Only that of a week that is not over is made anew.';
end
$$;
comment on function vital.refuse_report_change() is 'Refuses every change of the report of a week that is over';
