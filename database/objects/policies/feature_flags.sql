-- Everybody signed in reads the active flags: what a flag is called is no secret of a tenant. Super admins
-- manage them; a flag with a history is switched off, not deleted.
alter table public.feature_flags enable row level security;
alter table public.feature_flags force row level security;

create policy feature_flags_select_member on public.feature_flags for select to authenticated
  using (is_active);

create policy feature_flags_select_super_admin on public.feature_flags for select to authenticated
  using ((select public.is_super_admin()));

create policy feature_flags_insert_super_admin on public.feature_flags for insert to authenticated
  with check ((select public.is_super_admin()));

create policy feature_flags_update_super_admin on public.feature_flags for update to authenticated
  using ((select public.is_super_admin()))
  with check ((select public.is_super_admin()));

create policy feature_flags_delete_super_admin on public.feature_flags for delete to authenticated
  using ((select public.is_super_admin()));

grant select, insert, update, delete on public.feature_flags to authenticated;
grant select, insert, update, delete on public.feature_flags to service_role;
