import clsx from 'clsx';
import { ArrowLeftRight, ArrowRight } from 'lucide-react';
import { Fragment } from 'react';
import { useChange } from '../../../api/change';
import { vital } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Confirm } from '../../../ui/dialog';
import type { TenantRow } from '../tenant';
import { moves, platformId, states, type Move, type State } from './states';

const meanings: Record<State, string> = {
  pending: 'Waits for approval', active: 'Serves its members', suspended: 'Serves nobody, for now', archived: 'Serves nobody, for good',
};

/** Where in its life a tenant is, and the moves that are possible now. */
export function LifecycleCard({ tenant }: { tenant: TenantRow }) {
  const possible = tenant.id === platformId ? [] : moves[tenant.lifecycle_state];
  return (
    <Card title="Lifecycle" description="A move needs a reason, and is told at once to everybody who has the tenant open.">
      <Path current={tenant.lifecycle_state} />
      <ul className="mt-5 flex flex-col gap-3 empty:hidden">
        {possible.map((move) => <MoveRow key={move.action} tenant={tenant} move={move} />)}
      </ul>
      {tenant.id === platformId && <p className="mt-3 text-sm text-muted">The platform tenant stays active: it owns what all tenants share.</p>}
      {tenant.lifecycle_state === 'archived' && <p className="mt-3 text-sm text-muted">No move leads out of here. Its data is kept until it is erased.</p>}
    </Card>
  );
}

function Path({ current }: { current: State }) {
  return (
    <ol className="grid grid-cols-1 gap-x-2 gap-y-1.5 sm:grid-cols-[1fr_auto_1fr_auto_1fr_auto_1fr] sm:items-center">
      {states.map((state, place) => {
        const Arrow = state === 'suspended' ? ArrowLeftRight : ArrowRight;
        return (
          <Fragment key={state}>
            {place > 0 && <li aria-hidden className="grid place-items-center text-muted"><Arrow className="size-4 max-sm:rotate-90" /></li>}
            <li aria-current={state === current ? 'step' : undefined} className={clsx('rounded-lg border px-3 py-2', state === current ? 'border-accent bg-accent-soft' : 'border-line')}>
              <span className={clsx('block text-sm font-semibold capitalize', state === current ? 'text-accent-ink' : 'text-muted')}>{state}{state === current && <span className="text-xs font-normal normal-case"> · now</span>}</span>
              <span className="block text-xs text-muted">{meanings[state]}</span>
            </li>
          </Fragment>
        );
      })}
    </ol>
  );
}

function MoveRow({ tenant, move }: { tenant: TenantRow; move: Move }) {
  const go = useChange((reason: string) => vital.lifecycle.move(move.action, { tenant: tenant.id, reason }), () => `${tenant.name} was ${move.done}`);
  return (
    <li className="flex flex-col items-start justify-between gap-x-6 gap-y-2 sm:flex-row sm:items-center">
      <p className="max-w-3xl text-sm text-muted">{move.consequence}</p>
      <Confirm trigger={<Button variant={move.danger ? 'secondary' : 'primary'}>{move.label}…</Button>} title={`${move.label} ${tenant.name}?`} consequence={move.consequence}
        action={move.label} danger={move.danger} reason="required" typed={move.final && tenant.slug} onConfirm={go.mutateAsync} />
    </li>
  );
}
