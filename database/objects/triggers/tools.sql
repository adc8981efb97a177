-- Triggers of public.tools.
drop trigger if exists tools_touch on public.tools;
create trigger tools_touch before update on public.tools
  for each row execute function vital.touch_updated_at();
drop trigger if exists tools_audit on public.tools;
create trigger tools_audit after insert or update or delete on public.tools
  for each row execute function vital.audit_change('tenant_id');
