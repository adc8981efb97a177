-- Triggers of public.tenant_agents.
drop trigger if exists tenant_agents_touch on public.tenant_agents;
create trigger tenant_agents_touch before update on public.tenant_agents
  for each row execute function vital.touch_updated_at();
drop trigger if exists tenant_agents_audit on public.tenant_agents;
create trigger tenant_agents_audit after insert or update or delete on public.tenant_agents
  for each row execute function vital.audit_change('tenant_id');
drop trigger if exists tenant_agents_tier on public.tenant_agents;
create trigger tenant_agents_tier after insert or update of agent_tenant_id, agent_id on public.tenant_agents
  for each row execute function vital.enforce_agent_tier();
drop trigger if exists tenant_agents_limit on public.tenant_agents;
create trigger tenant_agents_limit after insert on public.tenant_agents
  referencing new table as inserted
  for each statement execute function vital.enforce_limit('max_agents');
