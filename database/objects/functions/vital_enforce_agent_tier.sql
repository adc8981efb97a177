-- owner: vital_definer
-- after: vital_lock_configuration.sql
-- after: vital_is_restoring.sql
--
-- Trigger of tenant_agents: a tenant assigns only agents of its enabled_agent_tiers. Definer, because it
-- reads the configuration whoever writes. Rows that are put back were judged once.
create or replace function vital.enforce_agent_tier() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  enabled integer[];
  wanted constant integer := (select a.tier from public.agents a where a.tenant_id = new.agent_tenant_id and a.id = new.agent_id);
begin
  if nullif(current_setting('vital.restoring', true), '') is not null and vital.is_restoring() then
    return null;
  end if;
  enabled := (vital.lock_configuration(new.tenant_id)).enabled_agent_tiers;
  if wanted <> all (enabled) then
    raise exception using errcode = 'VT204', message = format('Agents of tier %s are not enabled for this tenant.', wanted),
      hint = format('Enabled are: %s. An admin can change enabled_agent_tiers.', coalesce(nullif(array_to_string(enabled, ', '), ''), 'none'));
  end if;
  return null;
end
$$;
comment on function vital.enforce_agent_tier() is 'Refuses agents of a tier the tenant has not enabled';
grant execute on function vital.enforce_agent_tier() to vital_owner; -- to attach it to a table
