-- Members read the personas of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.personas enable row level security;
alter table public.personas force row level security;

create policy personas_select_member on public.personas for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy personas_insert_member on public.personas for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy personas_update_member on public.personas for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy personas_delete_member on public.personas for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.personas to authenticated;
grant select, insert, update, delete on public.personas to service_role;
