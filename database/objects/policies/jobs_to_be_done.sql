-- Members read the jobs of the tenant they act in and those the platform shares; owners, admins and
-- members write their own tenant's, viewers none.
alter table public.jobs_to_be_done enable row level security;
alter table public.jobs_to_be_done force row level security;

create policy jobs_to_be_done_select_member on public.jobs_to_be_done for select to authenticated
  using (tenant_id = any (array(select vital.readable_tenant_ids())));

create policy jobs_to_be_done_insert_member on public.jobs_to_be_done for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy jobs_to_be_done_update_member on public.jobs_to_be_done for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()))
  with check (tenant_id = (select vital.writable_tenant_id()));

create policy jobs_to_be_done_delete_member on public.jobs_to_be_done for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()));

grant select, insert, update, delete on public.jobs_to_be_done to authenticated;
grant select, insert, update, delete on public.jobs_to_be_done to service_role;
