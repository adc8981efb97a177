import { useRole, useTenant } from '@vital-db/client/react';
import { NotFound } from '../../shell/not-found';
import { LoadDashboard } from '../load/dashboard';

/** How the tenant's own data loads; for its admins. */
export function Performance() {
  const { organization } = useTenant();
  if (!useRole('admin')) return <NotFound />;
  return <LoadDashboard title="Performance" description={`How data loads for ${organization.name}: every context, read, write and call of its users.`} tenant={organization.id} watched={false} />;
}
