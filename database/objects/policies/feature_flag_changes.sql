-- Super admins read what is scheduled for definitions. It is written by functions only.
alter table public.feature_flag_changes enable row level security;
alter table public.feature_flag_changes force row level security;

create policy feature_flag_changes_select_super_admin on public.feature_flag_changes for select to authenticated
  using ((select public.is_super_admin()));

grant select on public.feature_flag_changes to authenticated;
grant select on public.feature_flag_changes to service_role;
