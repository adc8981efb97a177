-- Find tenants without configuration
SELECT o.id, o.name, o.tenant_type
FROM organizations o
LEFT JOIN tenant_configurations tc ON tc.tenant_id = o.id
WHERE tc.id IS NULL
AND o.is_active = true;

-- Create default configurations
INSERT INTO tenant_configurations (
  tenant_id,
  ui_config,
  enabled_features,
  enabled_apps,
  enabled_agent_tiers,
  limits,
  compliance_settings
)
SELECT
  o.id,
  jsonb_build_object(
    'theme', 'default',
    'primary_color', '#4F46E5',
    'logo_url', null
  ),
  ARRAY[]::TEXT[],
  ARRAY['dashboard', 'chat', 'agents']::TEXT[],
  ARRAY[1, 2, 3]::INTEGER[],
  jsonb_build_object(
    'max_agents', 100,
    'max_conversations', 1000
  ),
  jsonb_build_object(
    'hipaa_enabled', CASE WHEN o.tenant_type = 'pharmaceuticals' THEN true ELSE false END,
    'gdpr_enabled', true
  )
FROM organizations o
LEFT JOIN tenant_configurations tc ON tc.tenant_id = o.id
WHERE tc.id IS NULL
AND o.is_active = true;
