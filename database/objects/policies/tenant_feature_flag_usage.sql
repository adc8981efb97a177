-- Admins read how often flags were evaluated in their tenant, super admins in every one. It is written by a
-- function only.
alter table public.tenant_feature_flag_usage enable row level security;
alter table public.tenant_feature_flag_usage force row level security;

create policy tenant_feature_flag_usage_select_admin on public.tenant_feature_flag_usage for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

create policy tenant_feature_flag_usage_select_super_admin on public.tenant_feature_flag_usage for select to authenticated
  using (tenant_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.tenant_feature_flag_usage to authenticated;
grant select on public.tenant_feature_flag_usage to service_role;
