-- Triggers of public.tenant_feature_flags.
drop trigger if exists tenant_feature_flags_touch on public.tenant_feature_flags; -- its number says when, too
drop trigger if exists tenant_feature_flags_number on public.tenant_feature_flags;
create trigger tenant_feature_flags_number before insert or update on public.tenant_feature_flags
  for each row execute function vital.number_tenant_feature_flag();
drop trigger if exists tenant_feature_flags_versioning on public.tenant_feature_flags;
create trigger tenant_feature_flags_versioning after insert or update or delete on public.tenant_feature_flags
  for each row execute function vital.version_tenant_feature_flag();
drop trigger if exists tenant_feature_flags_record_change on public.tenant_feature_flags;
create trigger tenant_feature_flags_record_change after insert or update or delete on public.tenant_feature_flags
  for each row execute function vital.record_change('tenant', 'tenant_id');
drop trigger if exists tenant_feature_flags_audit on public.tenant_feature_flags;
create trigger tenant_feature_flags_audit after insert or update or delete on public.tenant_feature_flags
  for each row execute function vital.audit_change('tenant_id');
