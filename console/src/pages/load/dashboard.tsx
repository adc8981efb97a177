import { Pause, Play, RotateCw } from 'lucide-react';
import { useQueryClient } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { useState, type ReactNode } from 'react';
import { useList } from '../../api/list';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card, Stat, Stats } from '../../ui/card';
import { Select } from '../../ui/field';
import { Page } from '../../ui/page';
import { Loading, Problem } from '../../ui/state';
import { clockTime } from '../../ui/time';
import { Codes, Queries } from './breakdown';
import { count, milliseconds, ofHundred } from '../../ui/units';
import { Errors, Slowest } from './loads';
import { ranges, useTimeline, useTotals, type Scope } from './scope';
import { Timeline } from './timeline';

/** How data loads: of one tenant, or of all. `watched` reads it again and again from the start; `children` are further parts. */
export function LoadDashboard({ title, description, tenant, watched, children }: {
  title: string; description: string; tenant: string | undefined; watched: boolean; children?: (scope: Scope) => ReactNode;
}) {
  const list = useList('');
  const [live, setLive] = useState(watched);
  const range = ranges.find(({ hours }) => String(hours) === list.filter('hours')) ?? ranges[watched ? 0 : 2]!;
  const scope: Scope = { tenant, range, live };
  const timeline = useTimeline(scope);
  const chosen = (
    <>
      <LiveControl live={live} set={setLive} readAt={timeline.dataUpdatedAt} seconds={range.every / 1000} />
      <Select aria-label="Time range" className="!w-auto" value={range.hours} onChange={(event) => list.set({ hours: event.target.value })}>
        {ranges.map(({ hours, label }) => <option key={hours} value={hours}>{label}</option>)}
      </Select>
    </>
  );
  return (
    <Page title={title} description={description} actions={chosen}>
      <Totals scope={scope} />
      <Timeline timeline={timeline} range={range} />
      {children?.(scope)}
      <Slowest scope={scope} />
      <Errors scope={scope} />
      <Codes scope={scope} />
      <Queries scope={scope} />
    </Page>
  );
}

function LiveControl({ live, set, readAt, seconds }: { live: boolean; set: (live: boolean) => void; readAt: number; seconds: number }) {
  const queries = useQueryClient();
  return (
    <>
      <span className="flex items-center gap-2 text-xs text-muted">
        {live ? <Badge dot tone="ok">Live</Badge> : <Badge>Paused</Badge>}
        {readAt > 0 && <span className="tabular-nums" title={live ? `Read again every ${seconds} seconds` : undefined}>read at {clockTime.format(readAt)}</span>}
      </span>
      {!live && <Button icon={<RotateCw className="size-4" aria-hidden />} onClick={() => { void queries.invalidateQueries({ queryKey: vitalKey }); }}>Refresh</Button>}
      <Button icon={live ? <Pause className="size-4" aria-hidden /> : <Play className="size-4" aria-hidden />} onClick={() => set(!live)}>{live ? 'Pause' : 'Watch'}</Button>
    </>
  );
}

/** A load that is slower is slow; docs/reference/config.md. */
const slow = 500;

function Totals({ scope }: { scope: Scope }) {
  const { data, error, isPending, refetch } = useTotals(scope);
  if (error && data === undefined) return <Card><Problem error={error} retry={() => { void refetch(); }} /></Card>;
  if (isPending) return <Loading className="h-24" />;
  const rate = data?.error_rate ?? 0;
  return (
    <Stats>
      <Stat label="Loads" value={count(data?.loads ?? 0)} note={data ? `${count(Math.round(data.loads / scope.range.hours))} an hour` : 'none in this time'} />
      <Stat label="Time" value={milliseconds(data?.p50_time_ms)} note={data && `p95 ${milliseconds(data.p95_time_ms)} · p99 ${milliseconds(data.p99_time_ms)} · max ${milliseconds(data.max_time_ms)}`} tone={(data?.p95_time_ms ?? 0) > slow ? 'warn' : undefined} />
      <Stat label="From memory" value={ofHundred(data?.cache_hit_rate)} note="needed no query" />
      <Stat label="Failed" value={ofHundred(data?.error_rate)} note={data && `${count(Math.round(data.loads * rate / 100))} loads`} tone={rate >= 5 ? 'bad' : rate >= 1 ? 'warn' : undefined} />
    </Stats>
  );
}
