import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { ListChecks } from 'lucide-react';
import type { ReactNode } from 'react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Empty, Loading, Problem } from '../../../ui/state';
import { PlainTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { SoFar } from './so-far';
import { figure, gateTones, gateWords } from './weekly';

interface Gate {
  gate: string; phase: number; title: string; source: string; measured: boolean; status: string; value: number | null; at_least: number | null; at_most: number | null;
  unit: string | null; evidence: string | null; next: string; approved_by: string | null; approved_at: string | null; week: string; is_over: boolean; measured_at: string;
}

/** What must hold before a phase is over, and whether it does; `measure` is what has them measured first. */
export function Gates({ measure }: { measure: ReactNode }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'gates'],
    queryFn: ({ signal }) => told(rest.rpc('list_gates', undefined, { get: true }).select('*').abortSignal(signal).overrideTypes<Gate[], { merge: false }>()),
  });
  if (error) return <Card><Problem error={error} retry={() => { void refetch(); }} /></Card>;
  if (!data) return <Loading className="h-96" />;
  const first = data[0];
  if (!first) return <Card><Empty icon={<ListChecks className="size-5" />} title="No gate has been measured yet" action={measure}>They are with each weekly report, that of this week so far included. It can be made now.</Empty></Card>;
  return (
    <>
      {!first.is_over && <p className="-mb-2"><SoFar at={first.measured_at} /></p>}
      <p className="text-sm text-muted">Measured for {first.week}{first.is_over ? <>, <Time at={first.measured_at} /></> : ', which is not over'}; signatures are as new as there are. Sign one off with <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs text-ink">vital report gates approve</code>.</p>
      {[...new Set(data.map(({ phase }) => phase))].sort().map((phase) => <Phase key={phase} phase={phase} gates={data.filter((gate) => gate.phase === phase)} />)}
    </>
  );
}

function Phase({ phase, gates }: { phase: number; gates: Gate[] }) {
  return (
    <Card flush title={`Phase ${phase}`} description={`${gates.filter(({ status }) => status === 'pass').length} of ${gates.length} gates are passed.`}>
      <PlainTable label={`Gates of phase ${phase}`} rows={gates} rowKey={({ gate }) => gate} columns={[
        { header: 'Gate', main: true, cell: (gate) => <><p className="font-medium">{gate.title}</p><p className="text-xs text-muted"><span className="font-mono">{gate.gate}</span> · {gate.source}{gate.status !== 'pass' && ` · next: ${gate.next}`}</p><p className="text-xs text-muted md:hidden">{valueOf(gate)}{gate.value !== null && `, ${threshold(gate)}`}</p><div className="md:hidden"><Ground gate={gate} /></div></>, className: 'md:w-5/12' },
        { header: 'State', cell: ({ status }) => <Badge dot tone={gateTones[status]}>{gateWords[status] ?? status}</Badge> },
        { header: 'Value', align: 'right', minor: true, cell: valueOf, className: 'w-1/6' },
        { header: 'Threshold', align: 'right', minor: true, cell: (gate) => <span className="whitespace-nowrap">{threshold(gate)}</span> },
        { header: 'Ground', minor: true, cell: (gate) => <Ground gate={gate} />, className: 'w-1/4' },
      ]} />
    </Card>
  );
}

function valueOf({ value, unit }: Gate): string {
  return value === null ? '' : `${figure(value)} ${unit ?? ''}`;
}

function threshold({ at_least: least, at_most: most }: Gate): string {
  if (least !== null) return `≥ ${figure(least)}`;
  return most !== null ? `≤ ${figure(most)}` : 'a signature';
}

/** By what it was measured, or who signed it. */
function Ground({ gate: { evidence, approved_by: by, approved_at: at } }: { gate: Gate }) {
  return <span className="text-xs text-muted">{by && <>signed by <span className="text-ink">{by}</span> <Time at={at} />{evidence && ': '}</>}<span className="break-words">{evidence}</span></span>;
}
