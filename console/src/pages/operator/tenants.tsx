import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { Building2 } from 'lucide-react';
import { told } from '../../api/answer';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest } from '../../session/clients';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Select } from '../../ui/field';
import { Page } from '../../ui/page';
import { Segments } from '../../ui/segments';
import { Empty } from '../../ui/state';
import { DataTable, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { CreateTenant } from './tenant/create';
import { ErasuresUnderWay } from './tenant/erasure/under-way';
import { StateBadge, states, tiers, type State } from './tenant/states';

/** Every tenant of the platform. */
export function Tenants() {
  const list = useList('name.asc');
  const counts = useCounts();
  return (
    <Page title="Tenants" description="Everybody the platform serves: who they are, how they stand, and what can be done about it." actions={<CreateTenant types={counts.types} />}>
      <Segments label="Lifecycle state" value={list.filter('state')} onChange={(state) => list.set({ state })} options={[
        { value: '', label: 'All', count: counts.all },
        ...states.map((state) => ({ value: state, label: state[0]!.toUpperCase() + state.slice(1), count: counts.all === undefined ? undefined : counts.states[state] ?? 0 })),
      ]} />
      <ErasuresUnderWay />
      <TenantList list={list} types={counts.types} />
    </Page>
  );
}

/** How many tenants there are, in all and by state, and of which types. */
function useCounts(): { all: number | undefined; states: Partial<Record<State, number>>; types: string[] } {
  const { data } = useQuery({
    queryKey: [...vitalKey, 'tenant-counts'],
    queryFn: ({ signal }) => told(rest.from('organizations').select('lifecycle_state,tenant_type,count()').abortSignal(signal)),
  });
  const byState: Partial<Record<State, number>> = {};
  for (const { lifecycle_state: state, count } of data ?? []) byState[state] = (byState[state] ?? 0) + count;
  return { all: data?.reduce((sum, { count }) => sum + count, 0), states: byState, types: [...new Set(data?.map((row) => row.tenant_type))].sort() };
}

interface Tenant { id: string; name: string; slug: string; tenant_type: string; subscription_tier: string; lifecycle_state: State; created_at: string; members: { count: number }[] }

const columns: Column<Tenant>[] = [
  {
    header: 'Tenant', main: true, sort: 'name', cell: (t) => (
      <Link to={'/operator/tenants/$slug' as string} params={{ slug: t.slug } as never} className="group block min-w-0 max-w-96">
        <span className="block truncate font-medium group-hover:underline">{t.name}</span>
        <span className="block truncate font-mono text-xs text-muted">{t.slug}</span>
      </Link>
    ),
  },
  { header: 'State', sort: 'lifecycle_state', cell: (t) => <StateBadge state={t.lifecycle_state} /> },
  { header: 'Type', sort: 'tenant_type', minor: true, cell: (t) => t.tenant_type },
  { header: 'Tier', sort: 'subscription_tier', minor: true, cell: (t) => t.subscription_tier },
  { header: 'Members', align: 'right', minor: true, cell: (t) => (t.members[0]?.count ?? 0).toLocaleString('en') },
  { header: 'Created', sort: 'created_at', minor: true, cell: (t) => <Time at={t.created_at} /> },
];

function TenantList({ list, types }: { list: List; types: string[] }) {
  const [state, type, tier] = [list.filter('state'), list.filter('type'), list.filter('tier')];
  const tenants = useRows<Tenant>(['tenants', state, type, tier], list, () => {
    let query = rest.from('organizations').select('id,name,slug,tenant_type,subscription_tier,lifecycle_state,created_at,members:user_tenants(count)', { count: 'exact' });
    if (isState(state)) query = query.eq('lifecycle_state', state);
    if (type) query = query.eq('tenant_type', type);
    if (tier) query = query.eq('subscription_tier', tier);
    return list.search ? query.or(containing(['name', 'slug', 'tenant_key'], list.search)) : query;
  });
  return (
    <Card flush>
      <DataTable label="Tenants" list={list} rows={tenants} rowKey={(t) => t.id} search="Search by name, slug or key" columns={columns}
        filters={<>
          <Choice label="Type" all="All types" value={type} options={types} set={(value) => list.set({ type: value })} />
          <Choice label="Tier" all="All tiers" value={tier} options={tiers} set={(value) => list.set({ tier: value })} />
        </>}
        empty={<Empty title="No tenant is like that" icon={<Building2 className="size-5" />} action={<Button onClick={() => list.set({ state: '', type: '', tier: '' })}>Show all</Button>}>None is in this state, of this type and in this tier.</Empty>} />
    </Card>
  );
}

function isState(text: string): text is State {
  return states.some((state) => state === text);
}

function Choice({ label, all, value, options, set }: { label: string; all: string; value: string; options: string[]; set: (value: string) => void }) {
  return (
    <Select aria-label={label} className="!w-auto" value={value} onChange={(event) => set(event.target.value)}>
      <option value="">{all}</option>
      {options.map((option) => <option key={option}>{option}</option>)}
    </Select>
  );
}
