import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Dialog } from '../../../ui/dialog';
import { Loading, Problem } from '../../../ui/state';
import { Time } from '../../../ui/time';
import { checks, findingsOf, saidOf, titleOf, toneOf, type Run } from './runs';
import { Findings } from '../findings';

/** What a run found, one by one. */
export function RunDialog({ run, onClose }: { run: Run | undefined; onClose: () => void }) {
  return (
    <Dialog wide open={run !== undefined} onOpenChange={(open) => { if (!open) onClose(); }} title={run ? titleOf(run.check_name) : ''}
      description={run && <span className="flex flex-wrap items-center gap-2"><Badge dot tone={toneOf(run.status)}>{saidOf(run)}</Badge><Time at={run.ran_at} /></span>}>
      {run && <Found run={run} />}
    </Dialog>
  );
}

function Found({ run }: { run: Run }) {
  const details = useQuery({
    queryKey: [...vitalKey, 'check-run', run.id],
    queryFn: async ({ signal }) => {
      const [row] = await told(rest.rpc('list_check_runs', undefined, { get: true }).select('details').eq('id', run.id).abortSignal(signal));
      return findingsOf(row?.details);
    },
  });
  const since = useQuery({ queryKey: [...vitalKey, 'bad-since', run.id], queryFn: ({ signal }) => badSince(run, signal) });
  if (details.error) return <Problem error={details.error} retry={() => { void details.refetch(); }} />;
  if (!details.data) return <Loading />;
  const kept = details.data.length;
  return (
    <div className="flex flex-col gap-4">
      {since.data && <p className="text-sm text-muted">{since.data.begun ? <>It has not been good since <Time at={since.data.begun} />.</> : 'It has never been good as far as is known.'}{since.data.before && <> It was last good <Time at={since.data.before} />.</>}</p>}
      <div className="rounded-lg border border-line"><Findings label="What was found" findings={details.data} /></div>
      {kept < run.findings && <p className="text-xs text-muted">The first {kept} of {run.findings.toLocaleString('en')} were kept.</p>}
      <Command name={run.check_name} />
    </div>
  );
}

function Command({ name }: { name: string }) {
  const command = checks.find((check) => check.name === name)?.command;
  return command === undefined ? null : <p className="text-xs text-muted">What to do about each says <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-ink">{command}</code></p>;
}

/** When the last good run before this one was, and the first bad one after that. */
async function badSince(run: Run, signal: AbortSignal): Promise<{ before: string | undefined; begun: string | undefined }> {
  const runs = () => rest.rpc('list_check_runs', undefined, { get: true }).select('ran_at').eq('check_name', run.check_name).lte('ran_at', run.ran_at);
  const [good] = await told(runs().eq('status', 'ok').order('ran_at', { ascending: false }).limit(1).abortSignal(signal));
  if (!good) return { before: undefined, begun: undefined };
  const [bad] = await told(runs().gt('ran_at', good.ran_at).order('ran_at', { ascending: true }).limit(1).abortSignal(signal));
  return { before: good.ran_at, begun: bad?.ran_at };
}
