import { Eraser } from 'lucide-react';
import { checked } from '../../api/answer';
import { useChange } from '../../api/change';
import { vital } from '../../session/clients';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/dialog';

/** Has every server read a tenant anew: for data that was changed behind VITAL's back. */
export function Invalidate({ tenant }: { tenant: { id: string; name: string } }) {
  const invalidate = useChange(async (reason: string) => {
    const headers = { 'Content-Type': 'application/json', ...(reason && { 'Vital-Reason': reason }) };
    await checked(vital.fetch('/api/cache/invalidate', { method: 'POST', headers, body: JSON.stringify({ tenant: tenant.id }) }));
  }, () => `${tenant.name} is read anew everywhere`);
  return (
    <Confirm trigger={<Button icon={<Eraser className="size-4" aria-hidden />}>Invalidate…</Button>} title={`Invalidate the cache of ${tenant.name}?`} action="Invalidate" danger={false} reason="optional" onConfirm={invalidate.mutateAsync}
      consequence="The tenant’s version rises: every server drops what it remembers of it, Redis does too, and everybody who has the tenant open reads it anew once. No data is changed; for a moment the database has more to do." />
  );
}
