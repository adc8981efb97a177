-- Members read the categories of the tenant they act in and those the platform shares; admins manage
-- their own tenant's.
alter table public.tool_categories enable row level security;
alter table public.tool_categories force row level security;

create policy tool_categories_select_member on public.tool_categories for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy tool_categories_insert_admin on public.tool_categories for insert to authenticated
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tool_categories_update_admin on public.tool_categories for update to authenticated
  using (tenant_id = (select vital.admin_tenant_id()))
  with check (tenant_id = (select vital.admin_tenant_id()));

create policy tool_categories_delete_admin on public.tool_categories for delete to authenticated
  using (tenant_id = (select vital.admin_tenant_id()));

grant select, insert, update, delete on public.tool_categories to authenticated;
grant select, insert, update, delete on public.tool_categories to service_role;
