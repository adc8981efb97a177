import { useRows, type List } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Empty } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { statusOf, type Kept } from './weekly';

/** The weeks there are reports of. */
export function Weeks({ list }: { list: List }) {
  const weeks = useRows<Kept>(['weeks'], list, () => rest.rpc('list_weekly_reports', undefined, { get: true, count: 'exact' }).select('week,status,is_over,made_at'), { unique: 'week' });
  return (
    <Card flush title="History">
      <DataTable label="Weekly reports" list={list} rows={weeks} rowKey={({ week }) => week} empty={<Empty title="No week has been reported on yet" />} columns={[
        { header: 'Week', sort: 'week', cell: ({ week, is_over: over }) => <span className="flex flex-wrap items-center gap-x-2 gap-y-1"><span className="font-medium tabular-nums">{week}</span>{!over && <Badge tone="info">so far</Badge>}</span> },
        { header: 'State', sort: 'status', cell: ({ status }) => { const { label, tone } = statusOf(status); return <Badge dot tone={tone}>{label}</Badge>; } },
        { header: 'Made', sort: 'made_at', minor: true, cell: ({ made_at: at }) => <Time at={at} /> },
        { header: 'Report', align: 'right', cell: ({ week }) => <Button size="small" variant="ghost" onClick={() => { list.set({ week, page: list.page }); scrollTo({ top: 0 }); }}>Show<span className="sr-only"> the report of {week}</span></Button> },
      ]} />
    </Card>
  );
}
