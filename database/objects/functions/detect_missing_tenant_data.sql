-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- What one tenant lacks of all that it needs to load: a row for each kind of data. status is OK or MISSING; record_count is how
-- many there are; issue is null where all is well. users counts those whose default tenant it is; where there is none, but
-- an active member whose default is another, nothing is missing. For super admins and service_role.
create or replace function public.detect_missing_tenant_data(p_tenant_id uuid)
returns table (data_type text, status text, record_count integer, issue text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  if not exists (select from public.organizations o where o.id = p_tenant_id) then
    raise exception using errcode = 'VT104', message = 'There is no such tenant.', hint = '`vital tenant list` names them.';
  end if;
  return query
    select d.data_type, case when d.n > 0 or d.data_type = 'users' and d.members > 0 then 'OK' else 'MISSING' end, d.n::integer,
      case when d.n = 0 and not (d.data_type = 'users' and d.members > 0) then d.issue end
    from (select v.*, max(v.n) filter (where v.data_type = 'memberships') over () as members from (values
      (1, 'tenant_configuration', (select count(*) from public.tenant_configurations c where c.tenant_id = p_tenant_id), 'No configuration record found'),
      (2, 'tenant_apps', (select count(*) from public.tenant_apps a where a.tenant_id = p_tenant_id), 'No apps assigned'),
      (3, 'users', (select count(*) from public.users u where u.organization_id = p_tenant_id), 'No users assigned to this tenant'),
      (4, 'memberships', (select count(*) from public.user_tenants m where m.tenant_id = p_tenant_id and m.status = 'active'), 'No active members'),
      (5, 'admins', (select count(*) from public.user_tenants m where m.tenant_id = p_tenant_id and m.status = 'active' and m.role in ('owner', 'admin')), 'No active owner or admin'),
      (6, 'visible_apps', (select count(*) from public.tenant_apps a where a.tenant_id = p_tenant_id and a.is_visible and a.is_enabled), 'No app is both visible and enabled')
    ) v (place, data_type, n, issue)) d
    order by d.place;
end
$$;
comment on function public.detect_missing_tenant_data(uuid) is 'What one tenant lacks of what it needs to load; for operators';
grant execute on function public.detect_missing_tenant_data(uuid) to authenticated, service_role;
