-- Admins read the history of their tenant's overrides. It is written by a trigger only.
alter table public.tenant_feature_flag_versions enable row level security;
alter table public.tenant_feature_flag_versions force row level security;

create policy tenant_feature_flag_versions_select_admin on public.tenant_feature_flag_versions for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

grant select on public.tenant_feature_flag_versions to authenticated;
grant select on public.tenant_feature_flag_versions to service_role;
