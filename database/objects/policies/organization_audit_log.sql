-- Admins read the audit log of the tenant they act in, super admins every one. Triggers alone write, and
-- nobody changes or deletes a row, not even service_role.
alter table public.organization_audit_log enable row level security;
alter table public.organization_audit_log force row level security;

create policy organization_audit_log_select_admin on public.organization_audit_log for select to authenticated
  using (organization_id = (select vital.overseen_tenant_id()));

create policy organization_audit_log_select_super_admin on public.organization_audit_log for select to authenticated
  using (organization_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.organization_audit_log to authenticated;
grant select on public.organization_audit_log to service_role;
