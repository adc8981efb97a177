import { CircleCheck, Timer } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Database } from '@vital-db/client';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Card } from '../../ui/card';
import { Dialog } from '../../ui/dialog';
import { Empty } from '../../ui/state';
import { DataTable, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { milliseconds } from '../../ui/units';
import { refetched, since, useNames, type Scope } from './scope';
import { LoadDetails } from './waterfall';

export type Load = Pick<Database['public']['Tables']['query_performance']['Row'], 'id' | 'created_at' | 'query_name' | 'tenant_id' | 'user_id' | 'execution_time_ms' | 'duration_us' | 'rows_returned' | 'cache_hit' | 'success' | 'error_code' | 'error_message' | 'request_id' | 'steps'>;

const columns = 'id,created_at,query_name,tenant_id,user_id,execution_time_ms,duration_us,rows_returned,cache_hit,success,error_code,error_message,request_id,steps';

export const took = (load: Load): number | null => (load.duration_us === null ? load.execution_time_ms : load.duration_us / 1000);

function useLoads(kind: 'slowest' | 'failed', scope: Scope, list: List) {
  return useRows<Load>(['load', kind, scope.tenant, scope.range.hours], list, () => {
    let query = rest.from('query_performance').select(columns).gte('created_at', since(scope)).filter('query_type', 'isdistinct', 'job'); // what jobs ask for is no load
    if (scope.tenant) query = query.eq('tenant_id', scope.tenant);
    if (kind === 'failed') query = query.eq('success', false);
    return list.search ? query.or(containing(['query_name', 'request_id', 'error_code'], list.search)) : query;
  }, { uncounted: true, refetchInterval: refetched(scope) });
}

/** The loads that took longest. */
export function Slowest({ scope }: { scope: Scope }) {
  const list = useList('duration_us.desc', 'slowest', 10);
  return <Loads title="Slowest loads" description="Those that took longest, with what was done for them." search="Search by query or request" {...{ scope, list }} rows={useLoads('slowest', scope, list)} empty={<Empty title="No loads in this time" icon={<Timer className="size-5" />} />} />;
}

/** The loads that failed, the latest first. */
export function Errors({ scope }: { scope: Scope }) {
  const list = useList('created_at.desc', 'errors', 10);
  return <Loads title="Recent errors" description="Loads that failed, the latest first." search="Search by query, code or request" {...{ scope, list }} rows={useLoads('failed', scope, list)} empty={<Empty title="Nothing failed" icon={<CircleCheck className="size-5" />}>In this time every load ended well.</Empty>} />;
}

function Loads({ title, description, search, scope, list, rows, empty }: {
  title: string; description: string; search: string; scope: Scope; list: List; rows: ReturnType<typeof useLoads>; empty: ReactNode;
}) {
  const [shown, show] = useState<Load>();
  const slugs = useNames('organizations', scope.tenant ? [] : (rows.data?.rows ?? []).map(({ tenant_id }) => tenant_id));
  const tenants: Column<Load>[] = scope.tenant ? [] : [{ header: 'Tenant', sort: 'tenant_id', minor: true, className: 'whitespace-nowrap', cell: (l) => slugs.get(l.tenant_id) ?? <code className="text-xs text-muted">{l.tenant_id.slice(0, 8)}…</code> }];
  return (
    <Card flush title={title} description={description}>
      <DataTable label={title} list={list} rows={rows} rowKey={(l) => l.id} search={search} empty={empty} columns={[
        { header: 'Query', main: true, sort: 'query_name', cell: (l) => <button type="button" className="text-left font-mono text-xs font-medium hover:underline" onClick={() => show(l)}>{l.query_name}</button> },
        ...tenants,
        { header: 'Time', sort: 'duration_us', align: 'right', className: 'whitespace-nowrap', cell: (l) => <span className="font-medium">{milliseconds(took(l))}</span> },
        { header: 'Result', sort: 'error_code', cell: (l) => <Result load={l} /> },
        { header: 'When', sort: 'created_at', minor: true, cell: (l) => <Time at={l.created_at} /> },
        { header: 'Request', minor: true, cell: (l) => <code className="block max-w-40 truncate text-xs text-muted" title={l.request_id ?? undefined}>{l.request_id || '–'}</code> },
      ]} />
      <Dialog wide open={shown !== undefined} onOpenChange={(open) => { if (!open) show(undefined); }} title={shown?.query_name ?? ''} description={shown && (shown.error_message ?? undefined)}>
        {shown && <LoadDetails load={shown} slug={slugs.get(shown.tenant_id)} />}
      </Dialog>
    </Card>
  );
}

export function Result({ load }: { load: Load }) {
  return load.success ? <Badge dot tone="ok">{load.cache_hit ? 'from memory' : 'ok'}</Badge> : <Badge dot tone="bad"><code>{load.error_code ?? 'failed'}</code></Badge>;
}
