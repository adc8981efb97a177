import { useMemo } from 'react';
import { Card, Meter } from '../../../ui/card';
import { Chart, type Series } from '../../../ui/chart';
import { digits, duration, whole } from '../../../ui/units';
import { requestRates, sliding, type Reading } from './reading';

const classes: { status: string; label: string; colour: Series['colour'] }[] = [
  { status: '2xx', label: 'done (2xx)', colour: 'ok' }, { status: '3xx', label: 'not changed (3xx)', colour: 'info' },
  { status: '4xx', label: 'refused (4xx)', colour: 'warn' }, { status: '5xx', label: 'failed (5xx)', colour: 'bad' },
];

const perSecond = (rate: number) => `${digits(rate)}/s`;

/** What this server is asked, and how it answers. */
export function Requests({ readings }: { readings: Reading[] }) {
  const { at, series } = useMemo(() => {
    const rates = sliding(readings, 6, requestRates);
    return {
      at: readings.map((reading) => reading.at),
      series: classes.map(({ status, label, colour }): Series => ({ label, colour, values: rates.map((rate) => rate && (rate[status] ?? 0)) })),
    };
  }, [readings]);
  const now = series.map(({ label, values }) => `${label} ${perSecond(values.at(-1) ?? 0)}`).join(', ');
  return (
    <Card title="Requests" description="Answers a second by status, over six seconds at each point; those for this page’s measurements are left out.">
      <Chart at={at} series={series} format={perSecond} height={180} summary={`Requests: ${now}`} />
    </Card>
  );
}

/** The pool of connections, and who waits for one. */
export function Connections({ readings, last }: { readings: Reading[]; last: Reading }) {
  const { at, series } = useMemo(() => ({
    at: readings.map((reading) => reading.at),
    series: [
      { label: 'in use', colour: 'accent', values: readings.map(({ pool }) => pool.acquired), fill: true },
      { label: 'idle', colour: 'muted', values: readings.map(({ pool }) => pool.idle) },
      { label: 'requests waiting', colour: 'warn', values: readings.map(({ waiting }) => waiting) },
    ] satisfies Series[],
  }), [readings]);
  const { pool, waiting, rejected } = last;
  return (
    <Card title="Database connections" description="A request takes one for as long as its transaction lasts; what memory answers takes none.">
      <div className="flex flex-col gap-4">
        <Meter label="In use" used={pool.acquired} allowed={pool.max} />
        <Chart at={at} series={series} format={digits} height={130} summary={`${pool.acquired} connections in use, ${pool.idle} idle, ${waiting} requests waiting`} />
        <dl className="grid grid-cols-2 gap-x-4 gap-y-2 text-sm sm:grid-cols-4">
          <Small name="Idle" value={whole(pool.idle)} />
          <Small name="Waiting now" value={whole(waiting)} note="for their tenant’s turn" />
          <Small name="Had to wait" value={whole(pool.waits)} note={pool.waits > 0 ? `${duration(pool.waitSeconds / pool.waits)} each` : 'since the start'} />
          <Small name="Refused" value={whole(rejected)} note={`${whole(pool.heldBack)} held back`} />
        </dl>
      </div>
    </Card>
  );
}

function Small({ name, value, note }: { name: string; value: string; note?: string }) {
  return <div><dt className="text-xs text-muted">{name}</dt><dd className="font-semibold tabular-nums">{value}{note && <span className="block text-xs font-normal text-muted">{note}</span>}</dd></div>;
}
