import { CalendarClock } from 'lucide-react';
import type { ReactNode } from 'react';
import { useChange } from '../../api/change';
import { useList, useRows } from '../../api/list';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm } from '../../ui/dialog';
import { Field, Input } from '../../ui/field';
import { Empty } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';
import { usePeople } from './people';

interface Scheduled { id: string; changes: unknown; run_at: string; status: string; reason: string | null; error: string | null; created_by: string | null }

const tones: Record<string, Tone> = { pending: 'info', applied: 'ok', failed: 'bad', cancelled: 'neutral' };
/** Changes are made by a job that tells nobody when it fails. */
const refetchInterval = 10_000;

/** What is to be changed at a time of its own; `made` says when to look again at what it changes. */
export function Schedule({ id, query, cancel, action }: { id: readonly unknown[]; query: () => unknown; cancel: (id: string, reason: string) => Promise<unknown>; action: ReactNode }) {
  const list = useList('run_at.desc', 'schedule', 10);
  const rows = useRows<Scheduled>(['scheduled', ...id], list, query, { refetchInterval });
  const person = usePeople(rows.data?.rows.map(({ created_by }) => created_by) ?? []);
  const cancelled = useChange(({ change, reason }: { change: string; reason: string }) => cancel(change, reason), () => 'The change will not be made');
  return (
    <Card flush title="Scheduled changes" description="Made at their time, as whoever scheduled them, if they still may." actions={action}>
      <DataTable label="Scheduled changes" list={list} rows={rows} rowKey={(c) => c.id} empty={<Empty title="Nothing is scheduled" icon={<CalendarClock className="size-5" />} />} columns={[
        { header: 'When', sort: 'run_at', cell: (c) => <Time at={c.run_at} /> },
        { header: 'Change', cell: (c) => <ChangeBrief changes={c.changes} /> },
        { header: 'Status', sort: 'status', cell: (c) => <span className="flex flex-col items-start gap-1"><Badge dot tone={tones[c.status]}>{c.status}</Badge>{c.error && <span className="text-xs text-bad">{c.error}</span>}</span> },
        { header: 'Who and why', minor: true, cell: (c) => <span><span className="break-all">{person(c.created_by)}</span>{c.reason && <span className="block text-xs text-muted">{c.reason}</span>}</span> },
        { header: 'Actions', align: 'right', cell: (c) => c.status === 'pending' && (
          <Confirm trigger={<Button size="small" variant="ghost">Cancel</Button>} title="Cancel this change?" consequence="It will not be made. It can be scheduled again." action="Cancel the change" reason="optional" onConfirm={(reason) => cancelled.mutateAsync({ change: c.id, reason })} />
        ) },
      ]} />
    </Card>
  );
}

function ChangeBrief({ changes }: { changes: unknown }) {
  if (typeof changes !== 'object' || changes === null) return <Badge>back to the default</Badge>;
  return <span className="flex max-w-md flex-col gap-0.5 font-mono text-xs">{Object.entries(changes).map(([field, value]) => <span key={field} className="break-all"><span className="text-muted">{field}:</span> {JSON.stringify(value)}</span>)}</span>;
}

/** When a change is made; ahead, by the user's own clock. */
export function RunAt({ value, set }: { value: string; set: (value: string) => void }) {
  return <Field label="At" hint="In your time zone. It is made within seconds of it.">{(p) => <Input {...p} type="datetime-local" required value={value} onChange={(event) => set(event.target.value)} />}</Field>;
}
