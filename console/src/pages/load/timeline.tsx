import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';
import { Card } from '../../ui/card';
import { Chart, type Series } from '../../ui/chart';
import { Empty, Loading, Problem } from '../../ui/state';
import { count, milliseconds, ofHundred } from '../../ui/units';
import type { Range, Span } from './scope';

/** How long loads took, how many there were, how many were had from memory and how many failed, over time. */
export function Timeline({ timeline, range }: { timeline: UseQueryResult<Span[]>; range: Range }) {
  const { data, error, refetch } = timeline;
  const drawn = useMemo(() => data && lines(data), [data]);
  if (error && !data) return <Card title="Over time"><Problem error={error} retry={() => { void refetch(); }} /></Card>;
  if (!drawn) return <div className="grid gap-5 lg:grid-cols-2">{['h-[21rem]', 'h-[21rem]', 'h-[17rem]', 'h-[17rem]'].map((height, part) => <Loading key={part} className={height} />)}</div>;
  const all = data!.reduce((sum, { loads }) => sum + loads, 0);
  if (all === 0) return <Card title="Over time"><Empty title="No loads in this time">Choose a longer one.</Empty></Card>;
  const worst = Math.max(...data!.map(({ p99_time_ms }) => p99_time_ms ?? 0));
  return (
    <div className="grid gap-5 lg:grid-cols-2">
      <Part title="Time a load takes" description="Half of the loads, 95 and 99 of 100 take no longer."><Chart at={drawn.at} series={drawn.times} format={milliseconds} summary={`Time of loads, ${range.label.toLowerCase()}: p99 at most ${milliseconds(worst)}`} /></Part>
      <Part title="Loads" description={`${count(all)} in all, in spans of ${spanOf(range)}.`}><Chart at={drawn.at} series={drawn.loads} format={count} summary={`Loads, ${range.label.toLowerCase()}: ${count(all)} in all`} /></Part>
      <Part title="From memory" description="Loads that needed no query."><Chart at={drawn.at} series={drawn.hits} format={ofHundred} height={140} summary={`Share of loads from memory, ${range.label.toLowerCase()}`} /></Part>
      <Part title="Failed" description="Loads that ended with an error."><Chart at={drawn.at} series={drawn.failed} format={ofHundred} height={140} summary={`Share of loads that failed, ${range.label.toLowerCase()}: at most ${ofHundred(Math.max(...data!.map(({ error_rate }) => error_rate ?? 0)))}`} /></Part>
    </div>
  );
}

function Part({ title, description, children }: { title: string; description: string; children: ReactNode }) {
  return <Card title={title} description={description}>{children}</Card>;
}

function spanOf({ hours, spans }: Range): string {
  const minutes = (hours * 60) / spans;
  return minutes < 60 ? `${minutes} minute${minutes === 1 ? '' : 's'}` : `${minutes / 60} hours`;
}

function lines(spans: Span[]): Record<'times' | 'loads' | 'hits' | 'failed', Series[]> & { at: number[] } {
  const of = (column: Exclude<keyof Span, 'bucket_start'>) => spans.map((span): number | null => span[column]);
  return {
    at: spans.map(({ bucket_start }) => Date.parse(bucket_start) / 1000),
    times: [{ label: 'p50', colour: 'accent', values: of('p50_time_ms') }, { label: 'p95', colour: 'info', values: of('p95_time_ms') }, { label: 'p99', colour: 'warn', values: of('p99_time_ms') }],
    loads: [{ label: 'loads', colour: 'accent', values: of('loads'), fill: true }],
    hits: [{ label: 'from memory', colour: 'ok', values: of('cache_hit_rate'), fill: true }],
    failed: [{ label: 'failed', colour: 'bad', values: of('error_rate'), fill: true }],
  };
}
