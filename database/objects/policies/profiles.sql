-- A user sees and edits their own profile; super admins see all. Which columns may be edited is a grant:
-- role and tenant_id are not among them, so nobody promotes themself.
alter table public.profiles enable row level security;
alter table public.profiles force row level security;

create policy profiles_select_self on public.profiles for select to authenticated
  using (id = (select vital.user_id()));

create policy profiles_select_super_admin on public.profiles for select to authenticated
  using (id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

create policy profiles_update_self on public.profiles for update to authenticated
  using (id = (select vital.user_id()))
  with check (id = (select vital.user_id()));

grant select on public.profiles to authenticated;
grant update (full_name, avatar_url, preferences) on public.profiles to authenticated;
grant select, insert, update, delete on public.profiles to service_role;
