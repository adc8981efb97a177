import { useTenant } from '@vital-db/client/react';
import { Bot } from 'lucide-react';
import { containing, useList, useRows } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Confirm } from '../../../ui/dialog';
import { Switch } from '../../../ui/field';
import { Mover } from '../../../ui/mover';
import { Empty, Problem } from '../../../ui/state';
import { DataTable, type Column } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { AgentName, Tier } from './cells';
import { brief, type Assigned, type Assignments } from './data';

/** The agents a tenant has, in the order its front end shows them. */
export function AssignedAgents({ admin, changes }: { admin: boolean; changes: Assignments }) {
  const { organization, config } = useTenant();
  const list = useList('display_order.asc', '', 10);
  const assigned = useRows<Assigned>(['tenant_agents', organization.id], list, () => {
    const query = rest.from('tenant_agents').select(`id,agent_id,agent_tenant_id,is_enabled,display_order,assigned_at,agent:agents!inner(${brief})`, { count: 'exact' }).eq('tenant_id', organization.id);
    return list.search ? query.or(containing(['name', 'slug', 'category'], list.search), { referencedTable: 'agent' }) : query;
  });
  const count = assigned.data?.count ?? 0;
  const place = (row: Assigned) => (list.page - 1) * list.size + (assigned.data?.rows.indexOf(row) ?? 0);
  const ordered = list.sort === 'display_order.asc' && !list.search;
  const most = config.limits.max_agents;
  const failed = [changes.enable, changes.move].find(({ error }) => error);
  return (
    <Card flush title="Assigned" description={most === undefined ? 'As many as you like.' : `Up to ${most.toLocaleString('en')}, which is a limit of this tenant.`}>
      {failed?.error && <Problem error={failed.error} title="That was not done" />}
      <DataTable label="Assigned agents" list={list} rows={assigned} rowKey={(row) => row.id} search="Search assigned agents"
        empty={<Empty title="No agent is assigned" icon={<Bot className="size-5" />}>{admin ? 'Assign one of those below.' : 'An admin can assign some.'}</Empty>}
        columns={[
          ...(admin && ordered ? [mover(changes, place, count)] : []),
          { header: 'Agent', main: true, cell: (row) => <AgentName agent={row.agent} /> },
          { header: 'Tier', minor: true, cell: (row) => <Tier tier={row.agent.tier} /> },
          { header: 'Category', minor: true, cell: (row) => row.agent.category ?? <span className="text-muted">–</span> },
          { header: 'Assigned', sort: 'assigned_at', minor: true, cell: (row) => <Time at={row.assigned_at} /> },
          { header: 'On', sort: 'is_enabled', cell: (row) => (admin
            ? <Switch label={`${row.agent.name} is on`} checked={row.is_enabled} onCheckedChange={(on) => changes.enable.mutate({ assigned: row, on })} />
            : <Badge dot tone={row.is_enabled ? 'ok' : 'neutral'}>{row.is_enabled ? 'on' : 'off'}</Badge>) },
          ...(admin ? [{ header: 'Actions', align: 'right' as const, cell: (row: Assigned) => <Unassign row={row} changes={changes} /> }] : []),
        ]} />
    </Card>
  );
}

function mover(changes: Assignments, place: (row: Assigned) => number, count: number): Column<Assigned> {
  return {
    header: 'Order', className: '!pr-0 w-px', cell: (row) => (
      <Mover name={row.agent.name} first={place(row) === 0} last={place(row) === count - 1} move={(by) => changes.move.mutateAsync({ assigned: row, by })} />
    ),
  };
}

function Unassign({ row: { agent }, changes }: { row: Assigned; changes: Assignments }) {
  const { organization } = useTenant();
  return (
    <Confirm trigger={<Button size="small" variant="ghost" aria-label={`Unassign ${agent.name}`}>Unassign</Button>} title={`Unassign ${agent.name}?`} action="Unassign" reason="optional"
      consequence={<>{organization.name} has it no more, and its settings and place here are gone. The agent itself stays, and can be assigned again.</>} onConfirm={(reason) => changes.unassign.mutateAsync({ agent, reason })} />
  );
}
