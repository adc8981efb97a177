-- after: vital_is_operator.sql
-- after: is_super_admin.sql
--
-- Refuses everybody but super admins and service_role: the check of what concerns the platform and not
-- one tenant.
create or replace function vital.require_operator() returns void
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
begin
  if not vital.is_operator() and not public.is_super_admin() then
    raise exception using errcode = 'VT110', message = 'Only super admins of the platform may do this.',
      hint = 'Ask the operator of the platform.';
  end if;
end
$$;
comment on function vital.require_operator() is 'Refuses everybody but super admins and service_role';
grant execute on function vital.require_operator() to authenticated, service_role, vital_definer;
