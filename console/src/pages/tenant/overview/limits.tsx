import { Card, Meter } from '../../../ui/card';
import { Problem, Skeleton } from '../../../ui/state';
import { countOf, useUsage, type Usage } from './usage';

/** Of each limit that is counted, and of each that the server measures: what it is called. */
const counted: Record<string, string> = { max_agents: 'Agents assigned', max_conversations: 'Conversations' };
const measured: Record<string, string> = { requests_per_second: 'Requests a second', concurrent_requests: 'Requests at a time' };
/** What there is no limit of. */
const had: Record<string, string> = {
  pending_invitations: 'Open invitations', agents: 'Own agents', tools: 'Own tools', prompts: 'Prompts', knowledge: 'Knowledge', personas: 'Personas', jobs_to_be_done: 'Jobs to be done',
};

/** What the tenant may have, and how much of it there is. */
export function LimitsUsed() {
  const { data, error, refetch, isFetching } = useUsage();
  return (
    <Card title="Limits" description="What this tenant may have, and has.">
      {data ? <Used usage={data} /> : error ? <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /> : <Skeleton className="h-48" />}
    </Card>
  );
}

function Used({ usage }: { usage: Map<string, Usage> }) {
  const of = (names: Record<string, string>) => Object.entries(names).flatMap(([name, label]) => { const row = usage.get(name); return row ? [{ label, row }] : []; });
  return (
    <div className="flex flex-col gap-4">
      {of(counted).map(({ label, row }) => <Meter key={label} label={label} used={row.used ?? 0} allowed={row.allowed} more={row.is_lower_bound} />)}
      <Lines lines={of(measured).map(({ label, row }) => ({ label, value: row.allowed === null ? 'no limit' : `up to ${row.allowed.toLocaleString('en')}` }))} />
      <div className="border-t border-line" />
      <Lines lines={of(had).map(({ label, row }) => ({ label, value: countOf(row) }))} />
    </div>
  );
}

function Lines({ lines }: { lines: { label: string; value: string }[] }) {
  return <dl className="flex flex-col gap-2 text-sm">{lines.map(({ label, value }) => <div key={label} className="flex items-baseline justify-between gap-3"><dt>{label}</dt><dd className="text-muted tabular-nums">{value}</dd></div>)}</dl>;
}
