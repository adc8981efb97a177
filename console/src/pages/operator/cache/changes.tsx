import { useMemo } from 'react';
import { observed, quantile } from '../../../api/metrics';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Chart, type Series } from '../../../ui/chart';
import { duration, whole } from '../../../ui/units';
import { delaysBetween, sliding, type Reading } from './reading';

const quantiles: { q: number; label: string; colour: Series['colour'] }[] = [
  { q: 0.5, label: 'p50', colour: 'info' }, { q: 0.95, label: 'p95', colour: 'accent' }, { q: 0.99, label: 'p99', colour: 'warn' },
];

/** How changes reach this server. */
export function Changes({ readings, last }: { readings: Reading[]; last: Reading }) {
  const { at, series } = useMemo(() => ({
    at: readings.map((reading) => reading.at),
    series: quantiles.map(({ q, label, colour }): Series => ({ label, colour, values: sliding(readings, 60, (earlier, later) => quantile(q, delaysBetween(earlier, later)) ?? null) })),
  }), [readings]);
  const recent = delaysBetween(readings[0]!, last);
  const [delays, when] = observed(recent) > 0 ? [recent, 'in these minutes'] : [last.delay, 'since the start'];
  return (
    <Card title="Propagation" actions={<Badge dot tone={last.heard ? 'ok' : 'bad'}>{last.heard ? 'listening' : 'not listening'}</Badge>}
      description="From the beginning of a writer’s transaction until this server has dropped what it changed. Long transactions count in full, so it is more than the notification takes.">
      <div className="grid gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <Chart at={at} series={series} format={duration} height={180} summary={summaryOf(delays, when)} />
        </div>
        <div className="flex flex-col gap-3 text-sm">
          <dl className="grid grid-cols-3 gap-2 border-b border-line pb-3">
            {quantiles.map(({ q, label }) => <div key={label}><dt className="text-xs text-muted">{label}</dt><dd className="text-lg font-semibold tabular-nums">{told(quantile(q, delays))}</dd></div>)}
          </dl>
          <dl className="flex flex-col gap-2">
            <Fact name="Changes followed" value={whole(observed(delays))} means={`${when}; of what it remembers`} />
            <Fact name="Notifications heard" value={whole(last.hints)} means="NOTIFY after a commit; anybody in the database can send one, and a forged one drops nothing" />
            <Fact name="Looks at versions" value={whole(last.looks)} means="what was heard is looked up before anything is dropped" />
            <Fact name="Forgot everything" value={whole(last.forgotten)} means="once at each connection that was made anew" />
            <Fact name="Open event streams" value={whole(last.streams)} means="pages and programs that are told of changes" />
          </dl>
        </div>
      </div>
    </Card>
  );
}

function Fact({ name, value, means }: { name: string; value: string; means?: string }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3">
      <dt>{name}{means && <span className="block text-xs text-muted">{means}</span>}</dt>
      <dd className="text-right font-medium tabular-nums">{value}</dd>
    </div>
  );
}

const told = (seconds: number | undefined) => (seconds === undefined ? '–' : duration(seconds));

function summaryOf(delays: Reading['delay'], when: string): string {
  return `Change delay ${when}: ${quantiles.map(({ q, label }) => `${label} ${told(quantile(q, delays))}`).join(', ')}`;
}
