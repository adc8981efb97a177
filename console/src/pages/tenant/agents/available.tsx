import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { VitalError } from '@vital-db/client';
import { Bot } from 'lucide-react';
import { told } from '../../../api/answer';
import { containing, useList, useRows, type List } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Button, buttonClass } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Dialog } from '../../../ui/dialog';
import { Select } from '../../../ui/field';
import { Empty, Problem } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { AgentName, Tier, TierFilter } from './cells';
import { brief, platform, type Agent, type Assignments } from './data';

/** The agents a tenant could assign: its own and the platform's, active ones. */
export function AvailableAgents({ admin, changes }: { admin: boolean; changes: Assignments }) {
  const { organization } = useTenant();
  const list = useList('name.asc', 'available', 10);
  const [tier, category, owner] = [list.filter('tier'), list.filter('category'), list.filter('owner')];
  const agents = useRows<Agent>(['agents', 'available', organization.id, tier, category, owner], list, () => {
    let query = rest.from('agents').select(`${brief},assigned:tenant_agents(id)`, { count: 'exact' }).eq('assigned.tenant_id', organization.id).is('assigned', null).eq('status', 'active')
      .in('tenant_id', owner === 'own' ? [organization.id] : owner === 'platform' ? [platform] : [organization.id, platform]);
    if (tier) query = query.eq('tier', Number(tier));
    if (category) query = query.eq('category', category);
    return list.search ? query.or(containing(['name', 'slug', 'description', 'category'], list.search)) : query;
  });
  const filtered = Boolean(tier || category || owner);
  return (
    <Card flush title="Available" description="Own agents and the platform's that are active and not assigned yet.">
      <DataTable label="Available agents" list={list} rows={agents} rowKey={(agent) => agent.id} search="Search available agents"
        filters={<><TierFilter list={list} /><CategoryFilter list={list} /><OwnerFilter list={list} /></>}
        empty={<Empty title={filtered ? 'No such agent' : 'None is left'} icon={<Bot className="size-5" />}>{filtered ? 'Try other filters.' : 'All there are is assigned.'}</Empty>}
        columns={[
          { header: 'Agent', main: true, sort: 'name', cell: (agent) => <AgentName agent={agent} /> },
          { header: 'Tier', sort: 'tier', minor: true, cell: (agent) => <Tier tier={agent.tier} /> },
          { header: 'Category', sort: 'category', minor: true, cell: (agent) => agent.category ?? <span className="text-muted">–</span> },
          ...(admin ? [{ header: 'Actions', align: 'right' as const, cell: (agent: Agent) => <Assign agent={agent} changes={changes} /> }] : []),
        ]} />
      <RefusedAssignment changes={changes} />
    </Card>
  );
}

function Assign({ agent, changes: { assign } }: { agent: Agent; changes: Assignments }) {
  const pending = assign.isPending && assign.variables.id === agent.id;
  return <Button size="small" aria-label={`Assign ${agent.name}`} pending={pending} onClick={() => assign.mutate(agent)}>Assign</Button>;
}

/** Why an agent could not be assigned, and where that can be changed. */
function RefusedAssignment({ changes: { assign } }: { changes: Assignments }) {
  const { organization } = useTenant();
  const { error, variables, reset } = assign;
  const limited = error instanceof VitalError && error.code === 'limit_exceeded';
  return (
    <Dialog open={error !== null} onOpenChange={(open) => { if (!open) reset(); }} title={`${variables?.name ?? 'It'} was not assigned`}>
      {(close) => (
        <>
          {error && <Problem error={error} />}
          <div className="flex justify-end gap-2">
            {limited && <Link to={'/t/$tenant/settings' as string} params={{ tenant: organization.slug } as never} className={buttonClass()} onClick={close}>To the settings</Link>}
            <Button variant="primary" onClick={close}>Close</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** The categories there are. Where the server is set to aggregate nothing there is no list of them, and the search finds them too. */
function CategoryFilter({ list }: { list: List }) {
  const { organization } = useTenant();
  const categories = useQuery({
    queryKey: [...vitalKey, 'agents', 'categories', organization.id], retry: false,
    queryFn: ({ signal }) => told<{ category: string }[] | null>(rest.from('agents').select('category,count()').in('tenant_id', [organization.id, platform]).eq('status', 'active').not('category', 'is', null).order('category').limit(200).abortSignal(signal)),
  });
  const chosen = list.filter('category');
  const names = categories.data?.map(({ category }) => category) ?? (chosen ? [chosen] : []);
  if (names.length === 0) return null;
  return (
    <Select aria-label="Category" className="!w-auto max-w-48" value={chosen} onChange={(event) => list.set({ category: event.target.value })}>
      <option value="">All categories</option>
      {names.map((name) => <option key={name}>{name}</option>)}
    </Select>
  );
}

function OwnerFilter({ list }: { list: List }) {
  return (
    <Select aria-label="Owner" className="!w-auto" value={list.filter('owner')} onChange={(event) => list.set({ owner: event.target.value })}>
      <option value="">Own and platform’s</option><option value="own">Own</option><option value="platform">Platform’s</option>
    </Select>
  );
}
