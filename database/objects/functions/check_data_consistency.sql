-- owner: vital_definer
-- after: vital_require_operator.sql
-- after: vital_consistency.sql
--
-- Whether the data of all tenants fits together: one row for each check. status is OK, WARNING or FAIL; count is how many rows
-- are wrong; message says so, and which key keeps it so where the schema forbids it. At most the rows are counted: no row is shown. For
-- super admins and service_role. `vital fix data` has repairs for most.
create or replace function public.check_data_consistency()
returns table (check_name text, status text, count integer, message text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    select c.check_name, case when c.wrong = 0 then 'OK' else c.severity end, least(c.wrong, 2147483647)::integer,
      c.subject || ': ' || c.wrong || coalesce(' (' || c.kept || ')', '')
    from vital.consistency() c
    order by c.place;
end
$$;
comment on function public.check_data_consistency() is 'Whether the data of all tenants fits together, check by check; for operators';
grant execute on function public.check_data_consistency() to authenticated, service_role;
