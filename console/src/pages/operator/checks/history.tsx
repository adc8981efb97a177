import { ClipboardCheck } from 'lucide-react';
import { useList, useRows } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Select } from '../../../ui/field';
import { Empty } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { milliseconds } from '../../../ui/units';
import { checks, runColumns, saidOf, statuses, titleOf, toneOf, type Run } from './runs';

/** Every run of the last year. */
export function CheckHistory({ onOpen }: { onOpen: (run: Run) => void }) {
  const list = useList('ran_at.desc');
  const [check, status] = [list.filter('check'), list.filter('status')];
  const runs = useRows<Run>(['check-history', check, status], list, () => {
    let query = rest.rpc('list_check_runs', undefined, { get: true, count: 'exact' }).select(runColumns);
    if (check) query = query.eq('check_name', check);
    return status ? query.eq('status', status) : query;
  }, { refetchInterval: 15_000 });
  return (
    <Card flush title="History" description="Runs of the last year, the newest first.">
      <DataTable label="History of checks" list={list} rows={runs} rowKey={(run) => run.id}
        filters={<>
          <Select aria-label="Check" className="!w-auto" value={check} onChange={(event) => list.set({ check: event.target.value })}>
            <option value="">All checks</option>
            {checks.map(({ name, title }) => <option key={name} value={name}>{title}</option>)}
          </Select>
          <Select aria-label="Outcome" className="!w-auto" value={status} onChange={(event) => list.set({ status: event.target.value })}>
            <option value="">All outcomes</option>
            {statuses.map((one) => <option key={one} value={one}>{one}</option>)}
          </Select>
        </>}
        empty={<Empty title="No such run" icon={<ClipboardCheck className="size-5" />}>Servers run the checks daily, the first minutes after they start.</Empty>}
        columns={[
          { header: 'Check', main: true, sort: 'check_name', cell: (run) => <span className="font-medium">{titleOf(run.check_name)}</span> },
          { header: 'Outcome', sort: 'status', cell: (run) => <><Badge dot tone={toneOf(run.status)}>{saidOf(run)}</Badge><span className="mt-1 block text-xs text-muted md:hidden"><Time at={run.ran_at} /></span></> },
          { header: 'Took', sort: 'duration_ms', align: 'right', minor: true, cell: (run) => milliseconds(run.duration_ms) },
          { header: 'When', sort: 'ran_at', minor: true, cell: (run) => <Time at={run.ran_at} /> },
          { header: 'Findings', align: 'right', cell: (run) => run.status !== 'ok' && <Button size="small" variant="ghost" onClick={() => onOpen(run)}>Show<span className="sr-only"> what {titleOf(run.check_name)} found</span></Button> },
        ]} />
    </Card>
  );
}
