-- owner: vital_definer
-- after: vital_is_restoring.sql
--
-- Trigger of organizations: a new tenant has its configuration and its four core apps from the start,
-- so none can exist without them. One that is put back has its own.
create or replace function vital.provision_tenant() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  insert into public.tenant_configurations (tenant_id, compliance_settings)
  values (new.id, jsonb_build_object('hipaa_enabled', new.tenant_type = 'pharmaceuticals', 'gdpr_enabled', true))
  on conflict (tenant_id) do nothing;
  insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, display_order)
  values
    (new.id, 'dashboard', 'Dashboard', '/dashboard', 'home', 1),
    (new.id, 'chat', 'Chat', '/chat', 'message-circle', 2),
    (new.id, 'agents', 'Agents', '/agents', 'users', 3),
    (new.id, 'knowledge', 'Knowledge', '/knowledge', 'book', 4)
  on conflict (tenant_id, app_key) do nothing;
  return null;
end
$$;
comment on function vital.provision_tenant() is 'Gives a new tenant its configuration and core apps';
grant execute on function vital.provision_tenant() to vital_owner; -- to attach it to a table
