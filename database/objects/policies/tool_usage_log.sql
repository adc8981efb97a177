-- Members record their own use of tools and admins read their tenant's. A record is never changed.
alter table public.tool_usage_log enable row level security;
alter table public.tool_usage_log force row level security;

create policy tool_usage_log_select_admin on public.tool_usage_log for select to authenticated
  using (tenant_id = (select vital.overseen_tenant_id()));

create policy tool_usage_log_insert_member on public.tool_usage_log for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id()));

grant select, insert on public.tool_usage_log to authenticated;
grant select, insert, delete on public.tool_usage_log to service_role; -- retention lets old rows go
