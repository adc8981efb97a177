-- Members read the documents of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.knowledge enable row level security;
alter table public.knowledge force row level security;

create policy knowledge_select_member on public.knowledge for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy knowledge_insert_member on public.knowledge for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy knowledge_update_member on public.knowledge for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy knowledge_delete_member on public.knowledge for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.knowledge to authenticated;
grant select, insert, update, delete on public.knowledge to service_role;
