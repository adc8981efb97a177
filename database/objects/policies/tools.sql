-- Members read the tools of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.tools enable row level security;
alter table public.tools force row level security;

create policy tools_select_member on public.tools for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy tools_insert_member on public.tools for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy tools_update_member on public.tools for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy tools_delete_member on public.tools for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.tools to authenticated;
grant select, insert, update, delete on public.tools to service_role;
