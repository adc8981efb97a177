import { useQuery } from '@tanstack/react-query';
import { useRole, useTenant, vitalKey } from '@vital-db/client/react';
import { done, told } from '../api/answer';
import { useChange } from '../api/change';
import { rest } from '../session/clients';
import { Button } from '../ui/button';
import { Confirm } from '../ui/dialog';
import { Notice } from '../ui/notice';
import { exact } from '../ui/time';

/** How often it is looked again while somebody is in, in milliseconds: an entry is over by itself. Of a new one the tenant's version tells. */
const every = 60_000;

/** Which super admins of the platform are in the tenant, why and until when; for its admins, who can end it. */
export function Entered() {
  return useRole('admin') ? <Entries /> : null;
}

function Entries() {
  const { organization } = useTenant();
  const { data } = useQuery({
    queryKey: [...vitalKey, 'entered', organization.id],
    queryFn: ({ signal }) => told(rest.from('break_glass').select('id,user_id,reason,until').eq('tenant_id', organization.id).is('ended_at', null).gt('until', new Date().toISOString()).order('until').abortSignal(signal)),
    refetchInterval: ({ state }) => (state.data?.length ? every : false),
  });
  const end = useChange(({ user, reason }: { user: string; reason: string }) => done(rest.rpc('leave_tenant', { p_tenant_id: organization.id, p_user_id: user, p_reason: reason || undefined })), () => 'The entry was ended');
  if (!data?.length) return null;
  return (
    <div className="flex flex-col gap-2 px-4 pt-4">
      {data.map(({ id, user_id, reason, until }) => (
        <Notice key={id} tone="warn" title="An operator of the platform is in this tenant"
          actions={<Confirm trigger={<Button size="small">End it</Button>} title="End the operator's access?" action="End" reason="optional" consequence="They lose this tenant at once, in every page they have open."
            onConfirm={(why) => end.mutateAsync({ user: user_id, reason: why })} />}>
          <p>Why: {reason}. Until {exact.format(new Date(until))}. <span className="font-mono text-xs text-muted">{user_id}</span></p>
        </Notice>
      ))}
    </div>
  );
}
