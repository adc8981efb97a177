-- Admins read the records of the tenant they act in, super admins all. They are written by vital.record_access and
-- vital.record_service_access alone, and nobody changes or deletes one: old ones go with their partition.
alter table public.access_records enable row level security;
alter table public.access_records force row level security;

create policy access_records_select_admin on public.access_records for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

create policy access_records_select_super_admin on public.access_records for select to authenticated
  using (tenant_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.access_records to authenticated;
grant select on public.access_records to service_role;
