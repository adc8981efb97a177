import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRole, useTenant, vitalKey } from '@vital-db/client/react';
import { Eye } from 'lucide-react';
import { told } from '../../api/answer';
import { useList, useRows } from '../../api/list';
import { rest } from '../../session/clients';
import { NotFound } from '../../shell/not-found';
import { Badge, type Tone } from '../../ui/badge';
import { Card } from '../../ui/card';
import { Field, Input } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { Page } from '../../ui/page';
import { Empty } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';

interface Condition { column: string; operator: string; values?: string[]; omitted?: number }

interface AccessRecord {
  id: string; at: string; user_id: string | null; acting_role: string; database_login: string; break_glass_id: string | null; action: string; table_name: string; embedded: string[];
  filter: Condition[]; row_count: number | null; error_code: string | null; request_id: string | null;
}

/** Who has read what of a tenant under HIPAA; for its admins. */
export function Access() {
  return useRole('admin') ? <Records /> : <NotFound />;
}

function Records() {
  const { organization, config } = useTenant();
  const list = useList('at.desc');
  const [table, from] = [list.filter('table'), list.filter('from')];
  const records = useRows<AccessRecord>(['access', organization.id, table, from], list, () => {
    let query = rest.from('access_records').select('*').eq('tenant_id', organization.id);
    if (table) query = query.or(`table_name.eq.${quoted(table)},embedded.cs.${quoted(`{${quoted(table)}}`)}`);
    return from ? query.gte('at', new Date(`${from}T00:00`).toISOString()) : query;
  }, { uncounted: true });
  const emails = useEmails(records.data?.rows);
  return (
    <Page title="Access" description="Who has read what of this tenant's data. Each read is recorded before it is answered; nobody changes or deletes a record.">
      {config.compliance_settings.hipaa_enabled !== true && <Notice title="Reads are not recorded now">They are while HIPAA is on in the settings; what was recorded is kept.</Notice>}
      <Card flush>
        <DataTable label="Access" list={list} rows={records} rowKey={(r) => r.id}
          filters={<Filters table={table} from={from} set={list.set} />}
          empty={<Empty title={table || from ? 'No record is like that' : 'No read was recorded yet'} icon={<Eye className="size-5" />} />}
          columns={[
            { header: 'When', cell: (r) => <Time at={r.at} /> },
            { header: 'Who', main: true, cell: (r) => <Who record={r} email={emails.get(r.user_id ?? '')} /> },
            { header: 'What', cell: (r) => <What record={r} /> },
            { header: 'Chosen by', minor: true, cell: (r) => <span className="block max-w-72 text-xs break-words text-muted">{r.filter.length === 0 ? 'nothing: all there were' : r.filter.map(said).join(', ')}</span> },
            { header: 'Rows', align: 'right', cell: (r) => (r.error_code ? <Badge tone="bad">{r.error_code}</Badge> : (r.row_count ?? 0).toLocaleString('en')) },
          ]} />
      </Card>
    </Page>
  );
}

/** A value for a filter, whatever is in it. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

function useEmails(rows: AccessRecord[] | undefined): Map<string, string> {
  const ids = [...new Set(rows?.flatMap(({ user_id }) => user_id ?? []))].sort();
  const { data } = useQuery({
    queryKey: [...vitalKey, 'emails', ids],
    queryFn: ({ signal }) => told(rest.from('users').select('id,email').in('id', ids).abortSignal(signal)),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
  });
  return new Map(data?.map(({ id, email }) => [id, email]));
}

function Who({ record: { user_id, acting_role, database_login, break_glass_id }, email }: { record: AccessRecord; email: string | undefined }) {
  return (
    <span className="block min-w-0">
      <span className="block truncate" title={user_id ?? undefined}>{email ?? (user_id ? <code className="text-xs">{user_id.slice(0, 8)}…</code> : <code className="text-xs">{database_login}</code>)}</span>
      <span className="block text-xs text-muted">as {acting_role.replace('_', ' ')}{break_glass_id && ', by breaking the glass'}</span>
    </span>
  );
}

const tones: Record<string, Tone> = { read: 'info', count: 'info', call: 'accent' };

function What({ record: { action, table_name, embedded, request_id } }: { record: AccessRecord }) {
  return (
    <span className="flex flex-wrap items-center gap-2" title={request_id ? `request ${request_id}` : undefined}>
      <Badge tone={tones[action] ?? 'neutral'}>{action}</Badge>
      <span><b className="font-medium">{table_name}</b>{embedded.length > 0 && <span className="text-muted"> with {embedded.join(', ')}</span>}</span>
    </span>
  );
}

function said({ column, operator, values = [], omitted = 0 }: Condition): string {
  const shown = values.slice(0, 2).join(', ');
  const more = values.length + omitted - Math.min(values.length, 2);
  return `${column} ${operator}${shown && ` ${shown}`}${more > 0 ? ` and ${more.toLocaleString('en')} more` : ''}`;
}

function Filters({ table, from, set }: { table: string; from: string; set: (changes: Record<string, string>) => void }) {
  return (
    <div className="grid w-full grid-cols-2 gap-3 sm:grid-cols-4">
      <Field label="Table">{(p) => <Input {...p} key={table} defaultValue={table} placeholder="any" autoComplete="off" spellCheck={false} onBlur={(event) => set({ table: event.target.value.trim() })} onKeyDown={(event) => { if (event.key === 'Enter') set({ table: event.currentTarget.value.trim() }); }} />}</Field>
      <Field label="From">{(p) => <Input {...p} type="date" value={from} onChange={(event) => set({ from: event.target.value })} />}</Field>
    </div>
  );
}
