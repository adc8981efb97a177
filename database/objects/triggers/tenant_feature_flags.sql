-- Triggers of public.tenant_feature_flags.
drop trigger if exists tenant_feature_flags_touch on public.tenant_feature_flags;
create trigger tenant_feature_flags_touch before update on public.tenant_feature_flags
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_feature_flags_record_change on public.tenant_feature_flags;
create trigger tenant_feature_flags_record_change after insert or update or delete on public.tenant_feature_flags
  for each row execute function vital.record_change('tenant', 'tenant_id');
drop trigger if exists tenant_feature_flags_audit on public.tenant_feature_flags;
create trigger tenant_feature_flags_audit after insert or update or delete on public.tenant_feature_flags
  for each row execute function vital.audit_change('tenant_id');
