-- Members read what their tenant has instead of a flag's default, admins manage it.
alter table public.tenant_feature_flags enable row level security;
alter table public.tenant_feature_flags force row level security;

create policy tenant_feature_flags_select_member on public.tenant_feature_flags for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()));

create policy tenant_feature_flags_insert_admin on public.tenant_feature_flags for insert to authenticated
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_feature_flags_update_admin on public.tenant_feature_flags for update to authenticated
  using (tenant_id = (select vital.admin_tenant_id()))
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_feature_flags_delete_admin on public.tenant_feature_flags for delete to authenticated
  using (tenant_id = (select vital.admin_tenant_id()));

grant select, insert, update, delete on public.tenant_feature_flags to authenticated;
grant select, insert, update, delete on public.tenant_feature_flags to service_role;
