import { useMemo } from 'react';
import { Card } from '../../../ui/card';
import { Chart, type Series } from '../../../ui/chart';
import { PlainTable } from '../../../ui/table';
import { bytes, percent, whole } from '../../../ui/units';
import { askedBetween, hitRate, sliding, type Level, type Reading } from './reading';

const levels: Record<string, { label: string; means: string; colour: Series['colour'] }> = {
  contexts: { label: 'Contexts', means: 'the caller’s own part, for each user and session', colour: 'accent' },
  documents: { label: 'Documents', means: 'how a tenant is set up, the same for all its members', colour: 'info' },
  flags: { label: 'Flags', means: 'what flags are evaluated with', colour: 'ok' },
};

/** How often each level of memory answers, and how full it is. */
export function HitRates({ readings, last }: { readings: Reading[]; last: Reading }) {
  const { at, series } = useMemo(() => ratesOf(readings), [readings]);
  const rows = Object.entries(last.memory).map(([name, level]) => ({ name, level, before: readings[0]?.memory[name] }));
  return (
    <Card flush title="Memory" description="How often what was asked for was remembered and still true; over half a minute at each point. Where nothing is asked there is no line.">
      <div className="px-4 pb-3"><Chart at={at} series={series} format={percent} height={180} summary={summaryOf(rows)} /></div>
      <PlainTable label="Levels of memory" rows={rows} rowKey={({ name }) => name} columns={[
        { header: 'Level', cell: ({ name }) => <><span className="font-medium">{levels[name]?.label ?? name}</span><span className="block text-xs text-muted max-md:hidden">{levels[name]?.means}</span></> },
        { header: 'Hit rate', align: 'right', cell: ({ level, before }) => <Rate level={level} before={before} /> },
        { header: 'Hits', align: 'right', minor: true, cell: ({ level }) => whole(level.hits) },
        { header: 'Not there', align: 'right', minor: true, cell: ({ level }) => whole(level.misses) },
        { header: 'No longer true', align: 'right', minor: true, cell: ({ level }) => whole(level.stale) },
        { header: 'Entries', align: 'right', cell: ({ level }) => whole(level.entries) },
        { header: 'Size', align: 'right', cell: ({ level }) => <Size level={level} /> },
        { header: 'Evicted', align: 'right', minor: true, cell: ({ level }) => whole(level.evictions) },
      ]} />
      <p className="border-t border-line px-4 py-3 text-xs text-muted">Counted since the server’s start. <b className="font-medium text-ink">No longer true</b>: something it shows had changed, so it was read anew. <b className="font-medium text-ink">Evicted</b>: forgotten to make room; many of them say that VITAL_CACHE_BYTES is small.</p>
    </Card>
  );
}

function ratesOf(readings: Reading[]): { at: number[]; series: Series[] } {
  const names = Object.keys(readings.at(-1)?.memory ?? {});
  const series = names.map((name): Series => ({
    label: levels[name]?.label ?? name, colour: levels[name]?.colour ?? 'muted',
    values: sliding(readings, 30, (earlier, later) => hitRate(askedBetween(earlier.memory[name], later.memory[name]!)) ?? null),
  }));
  return { at: readings.map(({ at }) => at), series };
}

interface Row { name: string; level: Level; before: Level | undefined }

function summaryOf(rows: Row[]): string {
  return `Hit rates: ${rows.map(({ name, level }) => `${levels[name]?.label ?? name} ${toldRate(hitRate(level))}`).join(', ')}`;
}

const toldRate = (rate: number | undefined) => (rate === undefined ? '–' : percent(rate));

/** In these minutes, and since the start. */
function Rate({ level, before }: { level: Level; before: Level | undefined }) {
  return <><span className="font-medium">{toldRate(hitRate(askedBetween(before, level)))}</span><span className="block text-xs text-muted">{toldRate(hitRate(level))} ever</span></>;
}

function Size({ level }: { level: Level }) {
  const part = level.bound > 0 ? level.bytes / level.bound : 0;
  return <><span className={part > 0.9 ? 'font-medium text-warn' : undefined}>{bytes(level.bytes)}</span><span className="block text-xs text-muted">of {bytes(level.bound)}, {percent(part)}</span></>;
}
