-- A user sees their own memberships and those of the tenant they act in. Memberships change only through
-- functions that know who may give which role.
alter table public.user_tenants enable row level security;
alter table public.user_tenants force row level security;

create policy user_tenants_select_self on public.user_tenants for select to authenticated
  using (user_id = (select vital.user_id()));

create policy user_tenants_select_member on public.user_tenants for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()));

create policy user_tenants_select_super_admin on public.user_tenants for select to authenticated
  using (user_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.user_tenants to authenticated;
grant select, insert, update, delete on public.user_tenants to service_role;
