-- Admins read who has entered the tenant they act in, super admins every entry. They are written by functions alone.
alter table public.break_glass enable row level security;
alter table public.break_glass force row level security;

create policy break_glass_select_admin on public.break_glass for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

create policy break_glass_select_super_admin on public.break_glass for select to authenticated
  using (tenant_id between (select vital.super_admin_floor()) and 'ffffffff-ffff-ffff-ffff-ffffffffffff');

grant select on public.break_glass to authenticated;
grant select on public.break_glass to service_role;
