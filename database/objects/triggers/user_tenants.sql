-- Triggers of public.user_tenants.
drop trigger if exists user_tenants_touch on public.user_tenants;
create trigger user_tenants_touch before update on public.user_tenants
  for each row execute function vital.touch_updated_at();
drop trigger if exists user_tenants_record_change on public.user_tenants;
create trigger user_tenants_record_change after insert or update or delete on public.user_tenants
  for each row execute function vital.record_change('membership', 'user_id');
drop trigger if exists user_tenants_audit on public.user_tenants;
create trigger user_tenants_audit after insert or update or delete on public.user_tenants
  for each row execute function vital.audit_change('tenant_id');
drop trigger if exists user_tenants_keep_owner_updated on public.user_tenants;
create trigger user_tenants_keep_owner_updated after update of tenant_id, role, status on public.user_tenants
  for each row when (old.role = 'owner' and old.status = 'active') execute function vital.keep_owner();
drop trigger if exists user_tenants_keep_owner_deleted on public.user_tenants;
create trigger user_tenants_keep_owner_deleted after delete on public.user_tenants
  for each row when (old.role = 'owner' and old.status = 'active') execute function vital.keep_owner();
