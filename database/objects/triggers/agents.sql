-- Triggers of public.agents.
drop trigger if exists agents_touch on public.agents;
create trigger agents_touch before update on public.agents
  for each row execute function vital.touch_updated_at();
drop trigger if exists agents_audit on public.agents;
create trigger agents_audit after insert or update or delete on public.agents
  for each row execute function vital.audit_change('tenant_id');
