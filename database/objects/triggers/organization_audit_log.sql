-- Triggers of public.organization_audit_log.
drop trigger if exists organization_audit_log_append_only on public.organization_audit_log;
create trigger organization_audit_log_append_only before update or delete on public.organization_audit_log
  for each row execute function vital.refuse_audit_change();
drop trigger if exists organization_audit_log_no_truncate on public.organization_audit_log;
create trigger organization_audit_log_no_truncate before truncate on public.organization_audit_log
  for each statement execute function vital.refuse_audit_change();
