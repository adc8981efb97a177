import { done } from '../../../../api/answer';
import { useChange } from '../../../../api/change';
import { rest } from '../../../../session/clients';
import { Button } from '../../../../ui/button';
import { Confirm } from '../../../../ui/dialog';
import { Notice } from '../../../../ui/notice';
import { exact } from '../../../../ui/time';
import type { TenantRow } from '../../tenant';
import type { Hold } from './erasures';

function useHold(tenant: TenantRow, held: boolean) {
  return useChange((reason: string) => done(rest.rpc('set_legal_hold', { p_tenant_id: tenant.id, p_held: held, p_reason: reason })),
    () => (held ? `${tenant.name} is on legal hold` : `${tenant.name} is on legal hold no more`));
}

/** That nothing of a tenant may go, and why. */
export function HoldNotice({ tenant, hold, by }: { tenant: TenantRow; hold: Hold; by: string }) {
  const release = useHold(tenant, false);
  return (
    <Notice tone="warn" title="On legal hold: nothing of this tenant is erased, or deleted for its age" actions={(
      <Confirm trigger={<Button size="small">Release…</Button>} title={`Release ${tenant.name} from its legal hold?`} action="Release" reason="required" typed={tenant.slug} onConfirm={release.mutateAsync}
        consequence="What is older than it is to be kept is deleted from then on, and the tenant can be erased." />
    )}>
      <p>{hold.reason}</p>
      <p className="text-xs text-muted">By {by}, since {exact.format(new Date(hold.placed_at))}.</p>
    </Notice>
  );
}

export function HoldRow({ tenant }: { tenant: TenantRow }) {
  const place = useHold(tenant, true);
  return (
    <div className="flex flex-col items-start justify-between gap-x-6 gap-y-2 border-t border-line pt-4 sm:flex-row sm:items-center">
      <p className="max-w-3xl text-sm text-muted">It is not on legal hold. While a tenant is, nothing of it is erased, or deleted for its age.</p>
      <Confirm trigger={<Button>Place on hold…</Button>} danger={false} title={`Put ${tenant.name} on legal hold?`} action="Place on hold" reason="required" onConfirm={place.mutateAsync}
        consequence="Nothing of it is erased, or deleted for its age, until it is released." />
    </div>
  );
}
