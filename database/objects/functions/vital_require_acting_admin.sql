-- owner: vital_definer
-- after: vital_require_admin.sql
-- after: vital_is_operator.sql
--
-- Refuses everybody but operators and who administers the tenant they act in, if it is p_tenant_id. Definer,
-- because require_admin is; executable by no role.
create or replace function vital.require_acting_admin(p_tenant_id uuid) returns void
language plpgsql stable parallel restricted security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not vital.is_operator() and (vital.require_admin()).tenant_id is distinct from p_tenant_id then
    raise exception using errcode = 'VT104', message = 'There is no such tenant, or you are not a member of it.',
      hint = 'Name the tenant with the Vital-Tenant header or the token''s tenant claim.';
  end if;
end
$$;
comment on function vital.require_acting_admin(uuid) is 'Refuses everybody but operators and the admins of the tenant they act in';
