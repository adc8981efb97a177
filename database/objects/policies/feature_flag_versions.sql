-- Super admins read the history of definitions. It is written by a trigger only.
alter table public.feature_flag_versions enable row level security;
alter table public.feature_flag_versions force row level security;

create policy feature_flag_versions_select_super_admin on public.feature_flag_versions for select to authenticated
  using ((select public.is_super_admin()));

grant select on public.feature_flag_versions to authenticated;
grant select on public.feature_flag_versions to service_role;
