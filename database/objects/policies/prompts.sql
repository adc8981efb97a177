-- Members read the prompts of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.prompts enable row level security;
alter table public.prompts force row level security;

create policy prompts_select_member on public.prompts for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy prompts_insert_member on public.prompts for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy prompts_update_member on public.prompts for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy prompts_delete_member on public.prompts for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.prompts to authenticated;
grant select, insert, update, delete on public.prompts to service_role;
