import { Pause, Play } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card, Stat, Stats } from '../../../ui/card';
import { Failure, Notice } from '../../../ui/notice';
import { Page } from '../../../ui/page';
import { Loading, Problem } from '../../../ui/state';
import { ago } from '../../../ui/time';
import { digits, duration, percent, whole } from '../../../ui/units';
import { observed, quantile } from '../../../api/metrics';
import { Changes } from './changes';
import { HitRates } from './memory';
import { Connections, Requests } from './requests';
import { askedBetween, delaysBetween, hitRate, ofLast, together, type Reading } from './reading';
import { useReadings } from './readings';
import { Shared } from './shared';
import { TenantCache } from './tenant';

/** What the server that answers remembers, and how it hears of changes. */
export function Cache() {
  const [paused, pause] = useState(false);
  const { data, error, refetch, isFetching } = useReadings(paused);
  const readings = useMemo(() => ofLast(data ?? []), [data]);
  const last = readings.at(-1);
  return (
    <Page title="Cache" description="What this server remembers, and how soon it hears of changes. These are the figures of the one server that answered; behind a load balancer there are others."
      actions={(
        <>
          <Badge dot tone={paused ? 'neutral' : error ? 'bad' : 'ok'}>{paused ? 'paused' : error ? 'not readable' : 'live, every 2 s'}</Badge>
          <Button icon={paused ? <Play className="size-4" aria-hidden /> : <Pause className="size-4" aria-hidden />} onClick={() => pause(!paused)}>{paused ? 'Go on' : 'Pause'}</Button>
        </>
      )}>
      {last ? <Figures readings={readings} last={last} all={data ?? []} error={error} /> : error ? <Card><Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /></Card> : <Loading label="Reading the measurements…" className="h-96" />}
      <TenantCache />
    </Page>
  );
}

function Figures({ readings, last, all, error }: { readings: Reading[]; last: Reading; all: Reading[]; error: Error | null }) {
  return (
    <>
      {error && <Failure what={`As it was ${ago(new Date(last.at * 1000))}`} error={error} />}
      <Degraded last={last} servers={new Set(all.map(({ started }) => started)).size} />
      <Overview readings={readings} last={last} />
      <HitRates readings={readings} last={last} />
      <Changes readings={readings} last={last} />
      <Shared redis={last.redis} />
      <div className="grid gap-5 xl:grid-cols-2"><Requests readings={readings} /><Connections readings={readings} last={last} /></div>
    </>
  );
}

/** What does not work as it should, and what that means. */
function Degraded({ last, servers }: { last: Reading; servers: number }) {
  return (
    <>
      {!last.heard && (
        <Notice tone="bad" title="This server does not hear of changes">
          Nothing is served from memory until it does: answers stay right, and each costs the database a query. The connection that listens is tried four times a second; through a pooler in transaction mode nothing is ever heard.
        </Notice>
      )}
      {last.redis && !last.redis.up && (
        <Notice tone="warn" title="Redis does not answer">
          Documents are read from the database instead, and answers stay right. Redis is tried once a second{last.redis.pending > 0 && `; ${whole(last.redis.pending)} evictions wait until it is back`}.
        </Notice>
      )}
      {last.rejected > 0 && <Notice tone="info" title={`${whole(last.rejected)} requests were refused since the start, because their tenant took more than its share`}>Others were not slowed by them.</Notice>}
      {servers > 1 && <Notice tone="info" title={`${servers} servers answered in these minutes`}>There is a load balancer, or the server was started anew. What is shown is of the one that answered last.</Notice>}
    </>
  );
}

function Overview({ readings, last }: { readings: Reading[]; last: Reading }) {
  const first = readings[0]!;
  const [recent, ever] = [hitRate(askedBetween(together(first), together(last))), hitRate(together(last))];
  const [delays, minutes] = [delaysBetween(first, last), `the last ${duration(Math.max(1, last.at - first.at))}`];
  const p95 = quantile(0.95, observed(delays) > 0 ? delays : last.delay);
  const up = new Date(last.started * 1000);
  return (
    <Stats>
      <Stat label="Answered from memory" value={recent === undefined ? '–' : percent(recent)} note={`${ever === undefined ? 'never asked' : percent(ever)} since ${last.started > 0 ? ago(up) : 'the start'}`} />
      <Stat label="Change delay, p95" value={p95 === undefined ? '–' : duration(p95)} note={observed(delays) > 0 ? `in ${minutes}` : p95 === undefined ? 'nothing remembered has changed' : 'since the start'} />
      <Stat label="Hears of changes" value={last.heard ? 'yes' : 'no'} tone={last.heard ? 'ok' : 'bad'} note={`${whole(last.hints)} heard since the start`} />
      <Stat label="Open event streams" value={whole(last.streams)} note={`${digits(last.pool.acquired)} of ${whole(last.pool.max)} connections in use`} />
    </Stats>
  );
}
