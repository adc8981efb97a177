-- A user sees themself and the members of the tenant they act in. Rows are made and changed with the
-- account, by the sign-in service or an operator.
alter table public.users enable row level security;
alter table public.users force row level security;

create policy users_select_self on public.users for select to authenticated
  using (id = (select vital.user_id()));

create policy users_select_member on public.users for select to authenticated
  using (id = any (array(select vital.colleague_ids())));

create policy users_select_super_admin on public.users for select to authenticated
  using (id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.users to authenticated;
grant select, insert, update, delete on public.users to service_role;
