-- Members read the agents of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.agents enable row level security;
alter table public.agents force row level security;

create policy agents_select_member on public.agents for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy agents_insert_member on public.agents for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy agents_update_member on public.agents for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy agents_delete_member on public.agents for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.agents to authenticated;
grant select, insert, update, delete on public.agents to service_role;
