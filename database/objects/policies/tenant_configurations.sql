-- Members read the configuration of the tenant they act in, admins change it, but whose it is.
-- It is made with the tenant and goes with it.
alter table public.tenant_configurations enable row level security;
alter table public.tenant_configurations force row level security;

create policy tenant_configurations_select_member on public.tenant_configurations for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()));

create policy tenant_configurations_update_admin on public.tenant_configurations for update to authenticated
  using (tenant_id = (select vital.admin_tenant_id()))
  with check (tenant_id = (select vital.admin_tenant_id()));

grant select on public.tenant_configurations to authenticated;
grant update (ui_config, enabled_features, enabled_apps, enabled_agent_tiers, limits, compliance_settings)
  on public.tenant_configurations to authenticated;
grant select, insert, update, delete on public.tenant_configurations to service_role;
