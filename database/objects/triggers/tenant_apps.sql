-- Triggers of public.tenant_apps.
drop trigger if exists tenant_apps_touch on public.tenant_apps;
create trigger tenant_apps_touch before update on public.tenant_apps
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_apps_record_change on public.tenant_apps;
create trigger tenant_apps_record_change after insert or update or delete on public.tenant_apps
  for each row execute function vital.record_change('tenant', 'tenant_id');
drop trigger if exists tenant_apps_audit on public.tenant_apps;
create trigger tenant_apps_audit after insert or update or delete on public.tenant_apps
  for each row execute function vital.audit_change('tenant_id');
