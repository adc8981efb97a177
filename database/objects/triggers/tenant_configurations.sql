-- Triggers of public.tenant_configurations.
drop trigger if exists tenant_configurations_touch on public.tenant_configurations;
create trigger tenant_configurations_touch before update on public.tenant_configurations
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_configurations_guard_throttles on public.tenant_configurations;
create trigger tenant_configurations_guard_throttles before insert or update of limits on public.tenant_configurations
  for each row execute function vital.guard_throttles();
drop trigger if exists tenant_configurations_record_change on public.tenant_configurations;
create trigger tenant_configurations_record_change after insert or update or delete on public.tenant_configurations
  for each row execute function vital.record_change('tenant', 'tenant_id');
drop trigger if exists tenant_configurations_audit on public.tenant_configurations;
create trigger tenant_configurations_audit after insert or update or delete on public.tenant_configurations
  for each row execute function vital.audit_change('tenant_id');
