-- A user sees every tenant they are a member of, which is what a tenant switcher lists; super admins
-- see and manage all. Nobody deletes one: a tenant is archived, and erased by a procedure of its own.
alter table public.organizations enable row level security;
alter table public.organizations force row level security;

create policy organizations_select_member on public.organizations for select to authenticated
  using (id = any (array(select vital.member_tenant_ids())));

create policy organizations_select_super_admin on public.organizations for select to authenticated
  using (id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

create policy organizations_insert_super_admin on public.organizations for insert to authenticated
  with check ((select public.is_super_admin()));

create policy organizations_update_super_admin on public.organizations for update to authenticated
  using ((select public.is_super_admin()))
  with check ((select public.is_super_admin()));

grant select, insert, update on public.organizations to authenticated;
grant select, insert, update, delete on public.organizations to service_role;
