-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- The reports of the weeks that are over, and that of the present week so far (not is_over) where it was made, the latest first, each
-- whole, as vital report weekly --format json prints it; for super admins and service_role. Definer, because sessions of users do not reach schema vital's tables.
create or replace function public.list_weekly_reports()
returns table (week text, status text, is_over boolean, made_at timestamptz, report jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query select r.week, r.status, r.is_over, r.made_at, r.report from vital.weekly_reports r order by r.week desc;
end
$$;
comment on function public.list_weekly_reports() is 'The reports of the weeks that are over, and of the present one so far; for operators';
grant execute on function public.list_weekly_reports() to authenticated, service_role;
