import { useRole, useTenant } from '@vital-db/client/react';
import { Page } from '../../ui/page';
import { ContextAsSent } from './overview/context';
import { Figures } from './overview/figures';
import { Identity, Yourself } from './overview/identity';
import { LimitsUsed } from './overview/limits';
import { Recent } from './overview/recent';
import { InUse, Regimes, Theme } from './overview/setup';

/** A tenant at a glance. */
export function Overview() {
  const { organization } = useTenant();
  const admin = useRole('admin');
  return (
    <Page title={organization.name} description="Who this tenant is, what it has, and what your application is told of it.">
      <Figures />
      <div className="grid items-start gap-5 lg:grid-cols-3">
        <div className="flex min-w-0 flex-col gap-5 lg:col-span-2">
          <Identity />
          <InUse />
          <div className="grid gap-5 sm:grid-cols-2"><Theme /><Regimes /></div>
          {admin && <Recent />}
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Yourself />
          <LimitsUsed />
        </div>
      </div>
      <ContextAsSent />
    </Page>
  );
}
