-- Whether the session acts with service_role's privileges: as that role itself, or as a login that holds
-- them without taking a role (an operator's own psql). The setting `role` stays what the caller took on
-- even within a definer function, and nobody takes on a role they are no member of.
create or replace function vital.is_operator() returns boolean
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select pg_has_role(case current_setting('role') when 'none' then session_user else current_setting('role')::name end,
    'service_role', 'usage')
$$;
comment on function vital.is_operator() is 'Whether the session acts with the privileges of service_role';
grant execute on function vital.is_operator() to authenticated, service_role, vital_definer;
