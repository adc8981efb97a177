import { Link } from '@tanstack/react-router';
import { Building2, CircleCheck, Database } from 'lucide-react';
import type { Database as Types } from '@vital-db/client';
import { containing, useList, useRows } from '../../api/list';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Card } from '../../ui/card';
import { Empty } from '../../ui/state';
import { DataTable, type Column } from '../../ui/table';
import { count, milliseconds, ofHundred } from '../../ui/units';
import { refetched, type Figures, type Scope } from './scope';

/** Columns of how loads fared, whatever they are counted by. */
const figures: Column<Figures>[] = [
  { header: 'Loads', sort: 'loads', align: 'right', className: 'whitespace-nowrap', cell: (f) => count(f.loads) },
  { header: 'In all', sort: 'total_time_ms', align: 'right', className: 'whitespace-nowrap', minor: true, cell: (f) => milliseconds(f.total_time_ms) },
  { header: 'p50', sort: 'p50_time_ms', align: 'right', className: 'whitespace-nowrap', minor: true, cell: (f) => milliseconds(f.p50_time_ms) },
  { header: 'p95', sort: 'p95_time_ms', align: 'right', className: 'whitespace-nowrap', cell: (f) => milliseconds(f.p95_time_ms) },
  { header: 'p99', sort: 'p99_time_ms', align: 'right', className: 'whitespace-nowrap', minor: true, cell: (f) => milliseconds(f.p99_time_ms) },
  { header: 'Memory', sort: 'cache_hit_rate', align: 'right', className: 'whitespace-nowrap', minor: true, cell: (f) => ofHundred(f.cache_hit_rate) },
  { header: 'Failed', sort: 'error_rate', align: 'right', className: 'whitespace-nowrap', cell: (f) => <Failed rate={f.error_rate} /> },
];

function Failed({ rate }: { rate: number }) {
  return <span className={rate >= 5 ? 'font-semibold text-bad' : rate > 0 ? 'text-warn' : 'text-muted'}>{ofHundred(rate)}</span>;
}

/** What is loaded, what takes the most time in all first. */
export function Queries({ scope }: { scope: Scope }) {
  const list = useList('total_time_ms.desc', 'queries', 10);
  const rows = useRows<Figures>(['load', 'queries', scope.tenant, scope.range.hours], list, () => {
    const query = rest.rpc('get_load_stats', { p_hours: scope.range.hours, p_by: 'query', p_tenant_id: scope.tenant }, { get: true, count: 'exact' });
    return list.search ? query.or(containing(['label'], list.search)) : query;
  }, { unique: 'label', refetchInterval: refetched(scope) });
  return (
    <Card flush title="By query" description={`What takes the most time in all comes first.${scope.tenant ? '' : ' Background jobs are listed here alone: they are no loads.'}`}>
      <DataTable label="Loads by query" list={list} rows={rows} rowKey={(f) => f.label} search="Search queries" empty={<Empty title="No loads in this time" icon={<Database className="size-5" />} />}
        columns={[{ header: 'Query', main: true, sort: 'label', cell: (f) => <Query name={f.label} /> }, ...figures]} />
    </Card>
  );
}

function Query({ name }: { name: string }) {
  const job = name.startsWith('job.');
  return <span className="inline-flex flex-wrap items-center gap-2"><code className="text-xs break-all">{job ? name.slice('job.'.length) : name}</code>{job && <Badge>job</Badge>}</span>;
}

/** What failed, by the code it failed with. */
export function Codes({ scope }: { scope: Scope }) {
  const list = useList('loads.desc', 'codes', 10);
  const rows = useRows<Figures>(['load', 'codes', scope.tenant, scope.range.hours], list,
    () => rest.rpc('get_load_stats', { p_hours: scope.range.hours, p_by: 'code', p_tenant_id: scope.tenant }, { get: true, count: 'exact' }), { unique: 'label', refetchInterval: refetched(scope) });
  return (
    <Card flush title="Errors by code" description="Of the loads that failed.">
      <DataTable label="Errors by code" list={list} rows={rows} rowKey={(f) => f.label} empty={<Empty title="Nothing failed" icon={<CircleCheck className="size-5" />} />} columns={[
        { header: 'Code', main: true, sort: 'label', cell: (f) => <code className="text-xs text-bad">{f.label}</code> },
        { header: 'Loads', sort: 'loads', align: 'right', className: 'whitespace-nowrap', cell: (f) => count(f.loads) },
        { header: 'p95', sort: 'p95_time_ms', align: 'right', className: 'whitespace-nowrap', cell: (f) => milliseconds(f.p95_time_ms) },
      ]} />
    </Card>
  );
}

type TenantFigures = Types['public']['Functions']['get_tenant_load_stats']['Returns'][number];

/** Whose loads they are: the busiest tenant first, or the slowest, by its p95. */
export function TenantLoads({ scope }: { scope: Scope }) {
  const list = useList('loads.desc', 'tenants', 10);
  const rows = useRows<TenantFigures>(['load', 'tenants', scope.range.hours], list, () => {
    const query = rest.rpc('get_tenant_load_stats', { p_hours: scope.range.hours }, { get: true, count: 'exact' });
    return list.search ? query.or(containing(['name', 'slug'], list.search)) : query;
  }, { unique: 'tenant_id', refetchInterval: refetched(scope) });
  return (
    <Card flush title="By tenant" description="The busiest first; sort by p95 for the slowest.">
      <DataTable label="Loads by tenant" list={list} rows={rows} rowKey={(f) => f.tenant_id} search="Search tenants" empty={<Empty title="No loads in this time" icon={<Building2 className="size-5" />} />}
        columns={[
          { header: 'Tenant', main: true, sort: 'slug', cell: (f) => (f.slug ? <Link to={'/t/$tenant/performance' as string} params={{ tenant: f.slug } as never} className="font-medium hover:underline">{f.name}<span className="block font-mono text-xs font-normal text-muted">{f.slug}</span></Link> : <span className="font-mono text-xs text-muted" title="The tenant is gone; its records outlive it.">{f.tenant_id}</span>) },
          ...figures.map(({ cell, ...column }): Column<TenantFigures> => ({ ...column, cell: (f) => cell({ ...f, label: f.tenant_id }) })),
        ]} />
    </Card>
  );
}
