-- Core apps that all tenants should have
DO $$
DECLARE
  tenant_record RECORD;
BEGIN
  FOR tenant_record IN SELECT id FROM organizations WHERE is_active = true
  LOOP
    -- Dashboard
    INSERT INTO tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order)
    VALUES (tenant_record.id, 'dashboard', 'Dashboard', '/dashboard', 'home', true, true, 1)
    ON CONFLICT (tenant_id, app_key) DO NOTHING;

    -- Chat
    INSERT INTO tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order)
    VALUES (tenant_record.id, 'chat', 'Chat', '/chat', 'message-circle', true, true, 2)
    ON CONFLICT (tenant_id, app_key) DO NOTHING;

    -- Agents
    INSERT INTO tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order)
    VALUES (tenant_record.id, 'agents', 'Agents', '/agents', 'users', true, true, 3)
    ON CONFLICT (tenant_id, app_key) DO NOTHING;

    -- Knowledge
    INSERT INTO tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, is_visible, is_enabled, display_order)
    VALUES (tenant_record.id, 'knowledge', 'Knowledge', '/knowledge', 'book', true, true, 4)
    ON CONFLICT (tenant_id, app_key) DO NOTHING;
  END LOOP;
END $$;
