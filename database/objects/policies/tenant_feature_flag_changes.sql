-- Admins read what is scheduled for their tenant's overrides. It is written by functions only.
alter table public.tenant_feature_flag_changes enable row level security;
alter table public.tenant_feature_flag_changes force row level security;

create policy tenant_feature_flag_changes_select_admin on public.tenant_feature_flag_changes for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

grant select on public.tenant_feature_flag_changes to authenticated;
grant select on public.tenant_feature_flag_changes to service_role;
