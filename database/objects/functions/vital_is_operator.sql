-- Whether the session acts with the privileges of an operator: as service_role, as a login that holds its privileges without taking
-- a role (an operator's own psql), or as one that may become vital_owner, who could change every function that asks. The setting `role`
-- stays what the caller took on even within a definer function, and nobody takes on a role they are no member of.
create or replace function vital.is_operator() returns boolean
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select pg_has_role(acts.as, 'service_role', 'usage') or pg_has_role(acts.as, 'vital_owner', 'member')
  from (select case current_setting('role') when 'none' then session_user else current_setting('role')::name end) acts ("as")
$$;
comment on function vital.is_operator() is 'Whether the session acts with the privileges of an operator';
grant execute on function vital.is_operator() to authenticated, service_role, vital_definer;
