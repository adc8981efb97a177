import { useUser } from '@vital-db/client/react';
import type { ReactNode } from 'react';
import { done, told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Confirm } from '../../../ui/dialog';
import { Loading, Problem } from '../../../ui/state';
import { exact, Time } from '../../../ui/time';
import type { TenantRow } from '../tenant';
import { useErasures, type Erasure } from './erasure/erasures';
import { HoldNotice, HoldRow } from './erasure/hold';
import { Command, Steps } from './erasure/steps';
import { actorOf, standingOf, type Standing } from './erasure/standing';
import { platformId } from './states';

type Data = NonNullable<ReturnType<typeof useErasures>['data']>;

/** Taking a tenant out for good: where that stands, what comes next, and what is in its way. The platform's is never erased. */
export function ErasureCard({ tenant }: { tenant: TenantRow }) {
  return tenant.id === platformId ? null : <Erasing tenant={tenant} />;
}

function Erasing({ tenant }: { tenant: TenantRow }) {
  const { data, error, refetch, isFetching, dataUpdatedAt } = useErasures(tenant.id);
  return (
    <Card title="Erasure" description="Everything of the tenant is deleted for good, and looked for, and a signed certificate says what was found. It takes two operators, and a time to think better of it.">
      {error ? <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /> : !data ? <Loading /> : <Stand tenant={tenant} data={data} now={dataUpdatedAt} />}
    </Card>
  );
}

function Stand({ tenant, data, now }: { tenant: TenantRow; data: Data; now: number }) {
  const { id: user } = useUser();
  const { open, former, hold, emails } = data;
  const standing = standingOf({ tenant, open, hold, user, now });
  return (
    <div className="flex flex-col gap-4">
      {hold && <HoldNotice tenant={tenant} hold={hold} by={actorOf(hold.placed_by, emails)} />}
      {open && <p className="text-sm">Asked for by <b className="font-medium break-all">{actorOf(open.requested_by, emails)}</b>: <span className="break-words">{open.reason}</span></p>}
      {open && <Steps erasure={open} next={standing.next} emails={emails} />}
      <Next tenant={tenant} open={open} standing={standing} />
      {former.map((one) => (
        <p key={one.id} className="text-xs break-words text-muted">Called off <Time at={one.cancelled_at} /> by {actorOf(one.cancelled_by, emails)}: the erasure that {actorOf(one.requested_by, emails)} asked for <Time at={one.requested_at} /> ({one.reason}).</p>
      ))}
      {!hold && <HoldRow tenant={tenant} />}
    </div>
  );
}

/** What comes next, or why nothing does. */
function Next({ tenant, open, standing: { next, obstacle, cancellable } }: { tenant: TenantRow; open: Erasure | undefined; standing: Standing }) {
  if (!open) {
    return (
      <Row action={obstacle === undefined && <Request tenant={tenant} />}>
        {obstacle === 'not archived' ? 'Only an archived tenant is erased. Suspend it, and archive it, first.'
          : obstacle === 'held' ? 'Nothing is erased while the tenant is on legal hold.' : 'Nobody has asked for it. Once somebody has, another operator approves it, and it waits until the tenant has been archived for long enough.'}
      </Row>
    );
  }
  return (
    <Row action={<>{cancellable && <CallOff tenant={tenant} erasure={open} />}{next === 'approval' && <Approve tenant={tenant} erasure={open} allowed={obstacle === undefined} />}</>}>
      {next === 'approval' ? (
        obstacle === 'own request' ? <>You asked for it yourself, and it takes two: another super admin approves it on this page, or another operator by <Command text={`vital tenant erase ${tenant.slug} --approve`} /></>
          : obstacle === 'held' ? 'It cannot be approved while the tenant is on legal hold.' : 'It waits for another operator than the one who asked for it. You are one.'
      ) : next === 'wait' ? (
        <>It may not begin before <b className="font-medium text-ink">{exact.format(new Date(open.not_before))}</b>. Then an operator runs it by <Command text={`vital tenant erase ${tenant.slug} --run`} /></>
      ) : open.state === 'running' ? (
        <>It has begun, and there is no way back. Where it was broken off, it goes on by <Command text={`vital tenant erase ${tenant.slug} --run`} /></>
      ) : obstacle === 'held' ? 'It cannot be run while the tenant is on legal hold.' : <>It may be run now, by an operator whose login may delete everything: <Command text={`vital tenant erase ${tenant.slug} --run`} /></>}
    </Row>
  );
}

function Row({ children, action }: { children: ReactNode; action: ReactNode }) {
  return <div className="flex flex-col items-start justify-between gap-x-6 gap-y-2 sm:flex-row sm:items-center"><div className="max-w-3xl min-w-0 text-sm text-muted">{children}</div><div className="flex shrink-0 flex-wrap gap-2 empty:hidden">{action}</div></div>;
}

function Request({ tenant }: { tenant: TenantRow }) {
  const ask = useChange((reason: string) => told(rest.rpc('request_erasure', { p_subject: 'tenant', p_subject_id: tenant.id, p_reason: reason })), () => `The erasure of ${tenant.name} was asked for`);
  return (
    <Confirm trigger={<Button>Request erasure…</Button>} title={`Erase ${tenant.name}?`} action="Request erasure" reason="required" typed={tenant.slug} onConfirm={ask.mutateAsync}
      consequence="Nothing is deleted yet. Once another operator has approved it and the waiting time is over, all of it can be: every row, the accounts of members who are in no other tenant, its audit log, and its key, so that backups do not open what it sealed. The reason outlives the tenant: name nobody in it." />
  );
}

function Approve({ tenant, erasure, allowed }: { tenant: TenantRow; erasure: Erasure; allowed: boolean }) {
  const approve = useChange(() => done(rest.rpc('approve_erasure', { p_id: erasure.id })), () => `The erasure of ${tenant.name} was approved`);
  return (
    <Confirm trigger={<Button disabled={!allowed}>Approve…</Button>} title={`Approve the erasure of ${tenant.name}?`} action="Approve" typed={tenant.slug} onConfirm={() => approve.mutateAsync(undefined)}
      consequence={`Nobody else is asked after you. From ${exact.format(new Date(erasure.not_before))} on an operator can have everything of it deleted, for good.`} />
  );
}

function CallOff({ tenant, erasure }: { tenant: TenantRow; erasure: Erasure }) {
  const cancel = useChange((reason: string) => done(rest.rpc('cancel_erasure', { p_id: erasure.id, p_reason: reason })), () => `The erasure of ${tenant.name} was called off`);
  return <Confirm trigger={<Button>Call off…</Button>} danger={false} title={`Call off the erasure of ${tenant.name}?`} action="Call off" reason="required" consequence="The tenant stays as it is, archived. Erasing it would have to be asked for, and approved, anew." onConfirm={cancel.mutateAsync} />;
}
