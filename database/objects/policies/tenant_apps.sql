-- Members read the apps of the tenant they act in, admins manage them.
alter table public.tenant_apps enable row level security;
alter table public.tenant_apps force row level security;

create policy tenant_apps_select_member on public.tenant_apps for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()));

create policy tenant_apps_insert_admin on public.tenant_apps for insert to authenticated
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_apps_update_admin on public.tenant_apps for update to authenticated
  using (tenant_id = (select vital.admin_tenant_id()))
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_apps_delete_admin on public.tenant_apps for delete to authenticated
  using (tenant_id = (select vital.admin_tenant_id()));

grant select, insert, update, delete on public.tenant_apps to authenticated;
grant select, insert, update, delete on public.tenant_apps to service_role;
