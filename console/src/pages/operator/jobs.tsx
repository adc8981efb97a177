import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { ListChecks } from 'lucide-react';
import { Fragment, useState } from 'react';
import { told } from '../../api/answer';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest } from '../../session/clients';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Dialog } from '../../ui/dialog';
import { Select } from '../../ui/field';
import { Page } from '../../ui/page';
import { Segments } from '../../ui/segments';
import { Empty } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';

/** River's states, in the order of a job's life. */
const states = ['available', 'pending', 'scheduled', 'running', 'retryable', 'completed', 'cancelled', 'discarded'];
const tones: Record<string, Tone> = { running: 'info', retryable: 'warn', completed: 'ok', cancelled: 'warn', discarded: 'bad' };

/** How often it is looked, in milliseconds: jobs come and go by themselves. */
const every = 5000;

interface Job {
  id: number; kind: string; queue: string; state: string; attempt: number; max_attempts: number; created_at: string; scheduled_at: string;
  attempted_at: string | null; finalized_at: string | null; last_error: string | null;
}

/** What the servers do by themselves, and how that goes. */
export function Jobs() {
  const list = useList('id.desc');
  const counts = useCounts();
  return (
    <Page title="Jobs" description="What servers do in the background: checks, reports, planned flags, cleaning up. What a job was told is not shown, since it may be a tenant's.">
      <Segments label="State" value={list.filter('state')} onChange={(state) => list.set({ state })} options={[
        { value: '', label: 'All', count: counts.all },
        ...states.filter((state) => state === list.filter('state') || counts.states[state]).map((state) => ({ value: state, label: state[0]!.toUpperCase() + state.slice(1), count: counts.states[state] ?? 0 })),
      ]} />
      <JobList list={list} kinds={counts.kinds} queues={counts.queues} />
    </Page>
  );
}

/** How many jobs there are, in all and by state, and of which kinds in which queues. */
function useCounts() {
  const { data } = useQuery({
    queryKey: [...vitalKey, 'job-counts'],
    queryFn: ({ signal }) => told(rest.rpc('list_jobs', undefined, { get: true }).select('state,kind,queue,count()').abortSignal(signal)),
    refetchInterval: every,
  });
  const byState: Record<string, number> = {};
  for (const { state, count } of data ?? []) byState[state] = (byState[state] ?? 0) + count;
  const distinct = (of: 'kind' | 'queue') => [...new Set(data?.map((row) => row[of]))].sort();
  return { all: data?.reduce((sum, { count }) => sum + count, 0), states: byState, kinds: distinct('kind'), queues: distinct('queue') };
}

function JobList({ list, kinds, queues }: { list: List; kinds: string[]; queues: string[] }) {
  const [failed, open] = useState<Job>();
  const [state, kind, queue] = [list.filter('state'), list.filter('kind'), list.filter('queue')];
  const jobs = useRows<Job>(['jobs', state, kind, queue], list, () => {
    let query = rest.rpc('list_jobs', undefined, { get: true, count: 'exact' }).select('*');
    if (state) query = query.eq('state', state);
    if (kind) query = query.eq('kind', kind);
    if (queue) query = query.eq('queue', queue);
    return list.search ? query.or(containing(['kind', 'last_error'], list.search)) : query;
  }, { refetchInterval: every });
  return (
    <Card flush>
      <DataTable label="Jobs" list={list} rows={jobs} rowKey={(job) => String(job.id)} search="Search kinds and errors"
        filters={<>
          <Choice label="Kind" all="All kinds" value={kind} options={kinds} set={(value) => list.set({ kind: value })} />
          <Choice label="Queue" all="All queues" value={queue} options={queues} set={(value) => list.set({ queue: value })} />
        </>}
        empty={<Empty title="No such job" icon={<ListChecks className="size-5" />} action={<Button onClick={() => list.set({ state: '', kind: '', queue: '' })}>Show all</Button>}>What went well is kept for an hour, what was cancelled for a day, what failed for a week.</Empty>}
        columns={[
          { header: 'Job', sort: 'kind', cell: (job) => <JobName job={job} onOpen={() => open(job)} />, className: 'max-w-0 w-1/2' },
          { header: 'State', sort: 'state', cell: (job) => <Badge dot tone={tones[job.state]}>{job.state}</Badge> },
          { header: 'Queue', sort: 'queue', minor: true, cell: (job) => job.queue },
          { header: 'Attempt', sort: 'attempt', align: 'right', minor: true, cell: (job) => `${job.attempt} of ${job.max_attempts}` },
          { header: 'When', sort: 'scheduled_at', cell: (job) => <When job={job} />, className: 'md:whitespace-nowrap' },
          { header: 'Number', sort: 'id', align: 'right', minor: true, cell: (job) => job.id },
        ]} />
      <Dialog wide open={failed !== undefined} onOpenChange={() => open(undefined)} title={failed ? `Why ${failed.kind} failed` : ''} description={failed && `Job ${failed.id}, attempt ${failed.attempt} of ${failed.max_attempts}.`}>
        <pre className="max-h-96 overflow-auto rounded-lg bg-bad-soft p-3 font-mono text-xs break-words whitespace-pre-wrap text-bad" tabIndex={0}>{failed?.last_error}</pre>
      </Dialog>
    </Card>
  );
}

/** What a job is of, with its last error to be opened. */
function JobName({ job: { kind, last_error: error }, onOpen }: { job: Job; onOpen: () => void }) {
  return (
    <div className="min-w-0">
      <span className="font-medium">{kind.split('_').map((word, place) => <Fragment key={place}>{place > 0 && <>_<wbr /></>}{word}</Fragment>)}</span>
      {error && <button type="button" onClick={onOpen} aria-haspopup="dialog" className="block max-w-full truncate text-left text-xs text-bad underline decoration-dotted underline-offset-2 hover:decoration-solid">{error.split('\n', 1)[0]}</button>}
    </div>
  );
}

/** When it ended, began, or will begin. */
function When({ job }: { job: Job }) {
  if (job.finalized_at) return <><span className="text-muted">ended</span> <Time at={job.finalized_at} /></>;
  if (job.state === 'running') return <><span className="text-muted">began</span> <Time at={job.attempted_at} /></>;
  return <><span className="text-muted">{job.attempt > 0 ? 'next try' : 'due'}</span> <Time at={job.scheduled_at} /></>;
}

function Choice({ label, all, value, options, set }: { label: string; all: string; value: string; options: string[]; set: (value: string) => void }) {
  return (
    <Select aria-label={label} className="!w-auto max-w-52" value={value} onChange={(event) => set(event.target.value)}>
      <option value="">{all}</option>
      {options.map((option) => <option key={option}>{option}</option>)}
    </Select>
  );
}
