import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import clsx from 'clsx';
import { Play } from 'lucide-react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Loading, Problem } from '../../../ui/state';
import { exact, Time } from '../../../ui/time';
import { milliseconds } from '../../../ui/units';
import { useAskedRun } from './asked';
import { runColumns, saidOf, toneOf, type Check, type Run } from './runs';

/** How many runs the picture shows. */
const shown = 30;

/** One check: its newest run, and how those before it went. */
export function CheckCard({ check, onOpen }: { check: Check; onOpen: (run: Run) => void }) {
  const asked = useAskedRun(check.name);
  const { data: runs, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'check-runs', check.name],
    queryFn: ({ signal }): Promise<Run[]> => told(rest.rpc('list_check_runs', undefined, { get: true }).select(runColumns).eq('check_name', check.name)
      .order('ran_at', { ascending: false }).limit(shown).abortSignal(signal)),
    refetchInterval: 15_000,
  });
  const newest = runs?.[0];
  if (!newest && !check.command) return null; // nobody can have it run
  return (
    <Card title={check.title} description={check.about}>
      {error ? <Problem error={error} retry={() => { void refetch(); }} /> : !runs ? <Loading className="h-24" /> : !newest ? (
        <p className="text-sm text-muted">{check.onDemand || !check.command ? 'It has not been run yet.' : <>It has not been run yet: <code className="font-mono text-xs text-ink">{check.command}</code> does.</>}</p>
      ) : (
        <div className="flex flex-col gap-3">
          <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
            <Badge dot tone={toneOf(newest.status)}>{saidOf(newest)}</Badge>
            <span className="text-xs text-muted"><Time at={newest.ran_at} /> · took {milliseconds(newest.duration_ms)}</span>
          </div>
          <Past runs={runs} />
          {newest.status === 'ok' ? <Since runs={runs} /> : <div><Button variant="primary" size="small" onClick={() => onOpen(newest)}>{newest.status === 'failed' ? 'Why it could not be run' : 'What was found'}<span className="sr-only"> {check.title}</span></Button></div>}
        </div>
      )}
      {check.onDemand && (
        <div className="mt-3 border-t border-line pt-3">
          <Button size="small" icon={<Play className="size-3.5" aria-hidden />} pending={asked.pending} onClick={asked.run}>{asked.said ?? 'Run now'}<span className="sr-only"> {check.title}</span></Button>
        </div>
      )}
      {asked.error && <div role="alert" className="mt-3 rounded-lg bg-bad-soft px-3 py-2 text-xs text-bad">{asked.error.message}</div>}
    </Card>
  );
}

const bars: Record<string, { height: number; tone: string }> = {
  ok: { height: 8, tone: 'fill-ok' }, findings: { height: 20, tone: 'fill-bad' }, failed: { height: 14, tone: 'fill-warn' },
};

/** The last runs, the newest at the right: low where all was well, high where something was found. */
function Past({ runs }: { runs: Run[] }) {
  const good = runs.filter(({ status }) => status === 'ok').length;
  return (
    <svg viewBox={`0 0 ${shown * 8} 20`} className="h-5 w-full max-w-60" role="img" aria-label={`${good} of the last ${runs.length} ${runs.length === 1 ? 'run was' : 'runs were'} good`}>
      {Array.from({ length: shown }, (_, place) => {
        const run = runs[shown - 1 - place];
        const { height, tone } = (run && bars[run.status]) ?? { height: 2, tone: 'fill-line-strong' };
        return <rect key={place} x={place * 8} y={20 - height} width="5" height={height} rx="1.5" className={clsx(tone)}>{run && <title>{`${saidOf(run)}, ${exact.format(new Date(run.ran_at))}`}</title>}</rect>;
      })}
    </svg>
  );
}

/** For how long all has been well. */
function Since({ runs }: { runs: Run[] }) {
  const bad = runs.findIndex(({ status }) => status !== 'ok');
  const first = runs[(bad === -1 ? runs.length : bad) - 1]!;
  return <p className="text-xs text-muted">Good since <Time at={first.ran_at} />{bad === -1 && runs.length === shown && ', or longer'}.</p>;
}
