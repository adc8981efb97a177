-- Triggers of public.tenant_feature_flag_changes. A change that is put off stays what was asked for: no audit row.
drop trigger if exists tenant_feature_flag_changes_touch on public.tenant_feature_flag_changes;
create trigger tenant_feature_flag_changes_touch before update on public.tenant_feature_flag_changes
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_feature_flag_changes_audit on public.tenant_feature_flag_changes;
create trigger tenant_feature_flag_changes_audit after insert or update of status or delete on public.tenant_feature_flag_changes
  for each row execute function vital.audit_change('tenant_id');
