-- name: ConfigLock
select pg_catalog.to_jsonb(c.*) from public.tenant_configurations c where c.tenant_id = $1 for update;

-- name: ConfigUpdate
update public.tenant_configurations c
set ui_config = n.ui_config, enabled_features = n.enabled_features, enabled_apps = n.enabled_apps,
  enabled_agent_tiers = n.enabled_agent_tiers, limits = n.limits, compliance_settings = n.compliance_settings
from pg_catalog.jsonb_populate_record(null::public.tenant_configurations, $2) n
where c.tenant_id = $1
returning pg_catalog.to_jsonb(c.*);
