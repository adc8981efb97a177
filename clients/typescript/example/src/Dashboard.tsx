import { FeatureGate, RequireRole, useApps, useFeature, useTenant, useUser } from '@vital-db/client/react';
import { supabase } from './clients';
import { Branding } from './Branding';
import { TenantSwitcher } from './TenantSwitcher';

export function Dashboard() {
  const user = useUser();
  const { organization, config } = useTenant();
  const apps = useApps();
  const tier = useFeature('model_tier', 'standard');
  return (
    <>
      <header style={{ borderTop: `4px solid ${config.ui_config.primary_color}` }}>
        <TenantSwitcher />
        <span>{user.full_name ?? user.email}</span>
        <button type="button" onClick={() => supabase.auth.signOut()}>Sign out</button>
      </header>
      <h1>{organization.name}</h1>
      <p>Colour {config.ui_config.primary_color}, model tier {tier}</p>
      <nav><ul>{apps.map((app) => <li key={app.app_key}><a href={app.app_route}>{app.app_name}</a></li>)}</ul></nav>
      <FeatureGate feature="new_dashboard" fallback={<p>The new dashboard is not switched on here.</p>}>
        <section aria-label="New dashboard">Here it is.</section>
      </FeatureGate>
      <RequireRole role="admin"><Branding /></RequireRole>
    </>
  );
}
