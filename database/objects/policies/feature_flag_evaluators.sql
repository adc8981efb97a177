-- Everybody signed in reads the rules that flags share, as they read the flags. Super admins manage them.
alter table public.feature_flag_evaluators enable row level security;
alter table public.feature_flag_evaluators force row level security;

create policy feature_flag_evaluators_select_member on public.feature_flag_evaluators for select to authenticated
  using ((select vital.user_id()) is not null);

create policy feature_flag_evaluators_insert_super_admin on public.feature_flag_evaluators for insert to authenticated
  with check ((select public.is_super_admin()));

create policy feature_flag_evaluators_update_super_admin on public.feature_flag_evaluators for update to authenticated
  using ((select public.is_super_admin()))
  with check ((select public.is_super_admin()));

create policy feature_flag_evaluators_delete_super_admin on public.feature_flag_evaluators for delete to authenticated
  using ((select public.is_super_admin()));

grant select, insert, update, delete on public.feature_flag_evaluators to authenticated;
grant select, insert, update, delete on public.feature_flag_evaluators to service_role;
