import { TenantLoads } from '../load/breakdown';
import { LoadDashboard } from '../load/dashboard';

/** How data loads for all tenants, as it happens. */
export function Load() {
  return (
    <LoadDashboard title="Load" description="How data loads over all tenants, as it happens." tenant={undefined} watched>
      {(scope) => <TenantLoads scope={scope} />}
    </LoadDashboard>
  );
}
