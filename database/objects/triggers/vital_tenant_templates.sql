-- Triggers of vital.tenant_templates.
drop trigger if exists tenant_templates_touch on vital.tenant_templates;
create trigger tenant_templates_touch before update on vital.tenant_templates
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_templates_audit on vital.tenant_templates;
create trigger tenant_templates_audit after insert or update or delete on vital.tenant_templates
  for each row execute function vital.audit_change('');
