import { useQuery } from '@tanstack/react-query';
import { useRole, useTenant, vitalKey } from '@vital-db/client/react';
import { Wrench } from 'lucide-react';
import { useState } from 'react';
import { told } from '../../../api/answer';
import { containing, useList, useRows, type List } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Dialog } from '../../../ui/dialog';
import { Select } from '../../../ui/field';
import { MenuItem, RowMenu } from '../../../ui/menu';
import { milliseconds, ofHundred } from '../../../ui/units';
import { Page } from '../../../ui/page';
import { Empty } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { Deprecate } from './deprecate';
import { ToolDetails } from './details';
import { days, Health, healths, type Tool } from './health';
import { Register } from './register';

/** What agents can use here, and how well it works. */
export function Tools() {
  const writer = useRole('member');
  return (
    <Page title="Tools" description={`What agents of this tenant can use: its own tools and those the platform shares. Figures are of this tenant's calls in the last ${days} days.`} actions={writer && <Register />}>
      <ToolList writer={writer} />
    </Page>
  );
}

function ToolList({ writer }: { writer: boolean }) {
  const { organization } = useTenant();
  const list = useList('name.asc');
  const filter = { category: list.filter('category'), type: list.filter('type'), health: list.filter('health'), owner: list.filter('owner') };
  const tools = useRows<Tool>(['tools', organization.id, filter], list, () => {
    let query = rest.rpc('list_tools', { p_days: days }, { count: 'exact', get: true });
    if (filter.category) query = query.eq('category', filter.category);
    if (filter.type) query = query.eq('tool_type', filter.type);
    if (filter.health) query = query.eq('health_status', filter.health);
    if (filter.owner) query = filter.owner === 'own' ? query.eq('tenant_id', organization.id) : query.neq('tenant_id', organization.id);
    return list.search ? query.or(containing(['name', 'slug', 'description'], list.search)) : query;
  });
  const filtered = Object.values(filter).some(Boolean);
  const [shown, show] = useState<{ tool: Tool; what: 'details' | 'deprecate' }>();
  const closed = (open: boolean) => { if (!open) show(undefined); };
  return (
    <Card flush>
      <DataTable label="Tools" list={list} rows={tools} rowKey={(t) => `${t.tenant_id}.${t.id}`} search="Search by name or description" filters={<Filters list={list} />}
        empty={filtered ? <Empty title="No tool is like that" icon={<Wrench className="size-5" />}>Take away a filter.</Empty>
          : <Empty title="No tools yet" icon={<Wrench className="size-5" />} action={writer && <Register />}>A tool is registered once, and then assigned to agents.</Empty>}
        columns={[
          { header: 'Tool', main: true, sort: 'name', cell: (t) => <ToolName tool={t} own={t.tenant_id === organization.id} open={() => show({ tool: t, what: 'details' })} /> },
          { header: 'Health', sort: 'health_status', cell: (t) => <Health status={t.health_status} /> },
          { header: 'Category', sort: 'category', minor: true, cell: (t) => t.category ?? <span className="text-muted">–</span> },
          { header: 'Type', sort: 'tool_type', minor: true, cell: (t) => <code className="text-xs">{t.tool_type}</code> },
          { header: 'Calls', sort: 'total_uses', align: 'right', minor: true, cell: (t) => Number(t.total_uses).toLocaleString('en') },
          { header: 'Success', sort: 'success_rate', align: 'right', minor: true, cell: (t) => ofHundred(t.success_rate) },
          { header: 'Latency', sort: 'avg_execution_time_ms', align: 'right', minor: true, cell: (t) => milliseconds(t.avg_execution_time_ms) },
          { header: 'Last used', sort: 'last_used_at', minor: true, cell: (t) => <Time at={t.last_used_at} /> },
          { header: 'Actions', align: 'right', cell: (t) => (
            <RowMenu label={t.name}>
              <MenuItem onSelect={() => show({ tool: t, what: 'details' })}>Details…</MenuItem>
              {writer && t.tenant_id === organization.id && !t.deprecated && <MenuItem danger onSelect={() => show({ tool: t, what: 'deprecate' })}>Deprecate…</MenuItem>}
            </RowMenu>
          ) },
        ]} />
      <Dialog open={shown?.what === 'details'} onOpenChange={closed} wide title={shown?.tool.name ?? ''} description={shown?.tool.description ?? undefined}>{shown && <ToolDetails tool={shown.tool} />}</Dialog>
      {shown?.what === 'deprecate' && <Deprecate tool={shown.tool} onOpenChange={closed} />}
    </Card>
  );
}

function ToolName({ tool, own, open }: { tool: Tool; own: boolean; open: () => void }) {
  return (
    <div className="min-w-0 max-w-96">
      <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
        <button type="button" onClick={open} className="text-left font-medium hover:underline">{tool.name}</button>
        {!own && <Badge>platform</Badge>}
      </span>
      <span className="block truncate font-mono text-xs text-muted">{tool.slug}</span>
      {tool.deprecated && (
        <span className="mt-1 block text-xs text-warn">
          {tool.deprecated_reason ?? 'Deprecated'}{tool.replacement_name && <> · use <b className="font-semibold">{tool.replacement_name}</b></>}
        </span>
      )}
    </div>
  );
}

function Filters({ list }: { list: List }) {
  const { organization } = useTenant();
  const kinds = useQuery({
    queryKey: [...vitalKey, 'tool kinds', organization.id],
    queryFn: async () => {
      const rows = await told(rest.rpc('list_tools', { p_days: 1 }, { get: true }).select('category,tool_type'));
      const distinct = (values: (string | null)[]) => [...new Set(values.filter((value) => value !== null))].sort((a, b) => a.localeCompare(b));
      return { category: distinct(rows.map((row) => row.category)), type: distinct(rows.map((row) => row.tool_type)) };
    },
  }).data;
  const choices: { name: string; label: string; all: string; values: [string, string][] }[] = [
    { name: 'health', label: 'Health', all: 'Any health', values: Object.entries(healths).map(([value, { label }]) => [value, label]) },
    { name: 'category', label: 'Category', all: 'All categories', values: (kinds?.category ?? []).map((value) => [value, value]) },
    { name: 'type', label: 'Type', all: 'All types', values: (kinds?.type ?? []).map((value) => [value, value]) },
    { name: 'owner', label: 'Owner', all: 'Own and platform’s', values: [['own', 'Own'], ['platform', 'Platform’s']] },
  ];
  return (
    <>
      {choices.map(({ name, label, all, values }) => (
        <Select key={name} aria-label={label} className="!w-auto max-w-48" value={list.filter(name)} onChange={(event) => list.set({ [name]: event.target.value })}>
          <option value="">{all}</option>
          {values.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </Select>
      ))}
    </>
  );
}
