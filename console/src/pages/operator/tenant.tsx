import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { Building2, LogIn } from 'lucide-react';
import { told } from '../../api/answer';
import { rest } from '../../session/clients';
import { buttonClass } from '../../ui/button';
import { Card, Fact, Facts } from '../../ui/card';
import { Page } from '../../ui/page';
import { Empty, Loading, Problem } from '../../ui/state';
import { Time } from '../../ui/time';
import { RecentAudit } from './tenant/audit';
import { CacheCard } from './tenant/cache';
import { Completeness } from './tenant/completeness';
import { ErasureCard } from './tenant/erasure';
import { FamilyCard } from './tenant/family';
import { LifecycleCard } from './tenant/lifecycle';
import { LimitsCard } from './tenant/limits';
import { StateBadge, type State } from './tenant/states';

export interface TenantRow {
  id: string; name: string; slug: string; tenant_type: string; tenant_key: string; subscription_tier: string; lifecycle_state: State;
  parent_organization_id: string | null; created_at: string; updated_at: string; members: { count: number }[];
}

/** One tenant, for operators: how it stands, and what can be done about it. */
export function TenantDetail() {
  const { slug } = useParams({ strict: false }) as { slug: string };
  const { data: tenant, error, isPending, refetch, isFetching } = useQuery({
    queryKey: [...vitalKey, 'tenant', slug],
    queryFn: async ({ signal }): Promise<TenantRow | null> => {
      const [row] = await told(rest.from('organizations')
        .select('id,name,slug,tenant_type,tenant_key,subscription_tier,lifecycle_state,parent_organization_id,created_at,updated_at,members:user_tenants(count)')
        .eq('slug', slug).abortSignal(signal));
      return row ?? null;
    },
  });
  if (isPending) return <Page title={slug}><Loading className="h-64" /></Page>;
  if (error) return <Page title={slug}><Card><Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /></Card></Page>;
  if (!tenant) {
    return <Page title={slug}><Card><Empty icon={<Building2 className="size-5" />} title={`There is no tenant ${slug}`} action={<Link to={'/operator/tenants' as string} className={buttonClass()}>To all tenants</Link>}>A slug stays as it is; look for its name among all tenants.</Empty></Card></Page>;
  }
  return <Detail tenant={tenant} />;
}

function Detail({ tenant }: { tenant: TenantRow }) {
  return (
    <Page title={tenant.name} description={<span className="flex flex-wrap items-center gap-2"><span className="font-mono text-xs">{tenant.slug}</span><StateBadge state={tenant.lifecycle_state} /></span>}
      actions={<Link to={'/t/$tenant' as string} params={{ tenant: tenant.slug } as never} className={buttonClass('primary')}><LogIn className="size-4" aria-hidden />Enter tenant</Link>}>
      <LifecycleCard tenant={tenant} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Card title="Facts">
          <Facts>
            <Fact label="Type">{tenant.tenant_type}</Fact>
            <Fact label="Tier">{tenant.subscription_tier}</Fact>
            <Fact label="Members">{(tenant.members[0]?.count ?? 0).toLocaleString('en')}</Fact>
            <Fact label="Key"><span className="font-mono text-xs">{tenant.tenant_key}</span></Fact>
            <Fact label="Created"><Time at={tenant.created_at} /></Fact>
            <Fact label="Changed"><Time at={tenant.updated_at} /></Fact>
            <Fact wide label="Id"><span className="font-mono text-xs break-all">{tenant.id}</span></Fact>
          </Facts>
        </Card>
        <Completeness tenant={tenant} />
        <LimitsCard tenant={tenant} />
        <FamilyCard tenant={tenant} />
      </div>
      <RecentAudit tenant={tenant} />
      <CacheCard tenant={tenant} />
      <ErasureCard tenant={tenant} />
    </Page>
  );
}
