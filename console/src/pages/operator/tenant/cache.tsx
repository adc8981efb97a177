import { Card } from '../../../ui/card';
import { Invalidate } from '../invalidate';
import type { TenantRow } from '../tenant';

/** For data that was changed behind VITAL's back. */
export function CacheCard({ tenant }: { tenant: TenantRow }) {
  return (
    <Card title="Cache" description="Servers keep the tenant in memory and hear of every change, so there is seldom a need: only where data was changed behind the triggers, as by a restore of single tables."
      actions={<Invalidate tenant={tenant} />}>
      <p className="text-sm text-muted">On the command line: <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs text-ink">vital cache invalidate {tenant.slug}</code></p>
    </Card>
  );
}
