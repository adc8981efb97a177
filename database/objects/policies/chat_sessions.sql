-- A conversation is its user's own, within the tenant they act in. Admins do not read along.
alter table public.chat_sessions enable row level security;
alter table public.chat_sessions force row level security;

create policy chat_sessions_select_self on public.chat_sessions for select to authenticated
  using (tenant_id = (select public.get_user_tenant_id()) and user_id = (select vital.user_id()));

create policy chat_sessions_insert_self on public.chat_sessions for insert to authenticated
  with check (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id()));

create policy chat_sessions_update_self on public.chat_sessions for update to authenticated
  using (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id()))
  with check (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id()));

create policy chat_sessions_delete_self on public.chat_sessions for delete to authenticated
  using (tenant_id = (select vital.writable_tenant_id()) and user_id = (select vital.user_id()));

grant select, insert, update, delete on public.chat_sessions to authenticated;
grant select, insert, update, delete on public.chat_sessions to service_role;
