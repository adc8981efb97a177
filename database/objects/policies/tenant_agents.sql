-- Members read which agents their tenant has assigned, admins assign.
alter table public.tenant_agents enable row level security;
alter table public.tenant_agents force row level security;

create policy tenant_agents_select_member on public.tenant_agents for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()));

create policy tenant_agents_insert_admin on public.tenant_agents for insert to authenticated
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_agents_update_admin on public.tenant_agents for update to authenticated
  using (tenant_id = (select vital.admin_tenant_id()))
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tenant_agents_delete_admin on public.tenant_agents for delete to authenticated
  using (tenant_id = (select vital.admin_tenant_id()));

grant select, insert, update, delete on public.tenant_agents to authenticated;
grant select, insert, update, delete on public.tenant_agents to service_role;
