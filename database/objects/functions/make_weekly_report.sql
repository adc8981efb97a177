-- owner: vital_definer
-- after: vital_enqueue_job.sql
-- after: vital_require_operator.sql
-- after: vital_require_value.sql
--
-- Has the report of last week made as soon as a server is free, and returns the job's id, for super admins and service_role. Servers do so
-- of themselves within an hour of the week's end; a report that is made says ever after what was measured then, and is not made
-- again. With p_present the report of this week, so far, is made too, whether there is one of last week to make or not: in place of the
-- one that was made of it before, until the week is over. Definer, because sessions of users plan no jobs.
create or replace function public.make_weekly_report(p_present boolean default false) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  begun constant timestamp := date_trunc('week', now() at time zone 'UTC'); -- this week, on Monday
  last_week constant text := to_char(begun - interval '7 days', 'IYYY"-W"IW');
begin
  perform vital.require_operator();
  perform vital.require_value(p_present is not null, 'p_present', 'true or false');
  if p_present then
    return vital.enqueue_job('week_report', jsonb_build_object('present', true));
  end if;
  if exists (select from vital.weekly_reports r where r.week = last_week and r.is_over) then
    raise exception using errcode = 'VT203', message = format('The report of %s is made.', last_week), hint = 'list_weekly_reports() has it.';
  end if;
  if not exists (
    select from vital.migrations m
    where m.version_id > 0 and m.is_applied and m.tstamp at time zone current_setting('timezone') < begun at time zone 'UTC'
  ) then
    raise exception using errcode = 'VT203', message = format('Nothing was here in %s to report on.', last_week),
      hint = 'The first report is that of the week in which VITAL was installed, once it is over; with p_present it is made of that week so far.';
  end if;
  return vital.enqueue_job('week_report');
end
$$;
comment on function public.make_weekly_report(boolean) is 'Has the report of last week made as soon as a server is free, and of this week so far; for operators';
grant execute on function public.make_weekly_report(boolean) to authenticated, service_role;
