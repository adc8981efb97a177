import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { Search } from 'lucide-react';
import { useState } from 'react';
import { checked, told } from '../../../api/answer';
import { containing } from '../../../api/list';
import { rest, vital } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Input } from '../../../ui/field';
import { Failure } from '../../../ui/notice';
import { Empty, Loading } from '../../../ui/state';
import { bytes } from '../../../ui/units';
import { Invalidate } from '../invalidate';

interface Tenant { id: string; name: string; slug: string; lifecycle_state: string }

/** A tenant's place in the cache: looked at, and made to be read anew. */
export function TenantCache() {
  const [search, look] = useState('');
  const [tenant, choose] = useState<Tenant>();
  return (
    <Card title="A tenant’s cache" description="How a tenant’s context is answered now, and its version, which rises with every change. Where data was changed behind VITAL’s back it can be made to be read anew.">
      <div className="grid gap-5 lg:grid-cols-2">
        <div>
          <div className="relative">
            <Search className="pointer-events-none absolute left-2.5 top-2.5 size-4 text-muted" aria-hidden />
            <Input type="search" aria-label="Search tenants by name or slug" placeholder="Search tenants by name or slug" value={search} onChange={(event) => look(event.target.value)} className="pl-8" />
          </div>
          <Found search={search.trim()} chosen={tenant?.id} choose={choose} />
        </div>
        {tenant ? <Looked key={tenant.id} tenant={tenant} /> : <Empty title="No tenant chosen" icon={<Search className="size-5" />}>Choose one to see how it is answered.</Empty>}
      </div>
    </Card>
  );
}

function Found({ search, chosen, choose }: { search: string; chosen: string | undefined; choose: (tenant: Tenant) => void }) {
  const { data, error } = useQuery({
    queryKey: [...vitalKey, 'cache', 'tenants', search],
    queryFn: ({ signal }): Promise<Tenant[]> => {
      const asked = rest.from('organizations').select('id,name,slug,lifecycle_state').order('name').limit(6).abortSignal(signal);
      return told(search ? asked.or(containing(['name', 'slug'], search)) : asked);
    },
    placeholderData: (before) => before,
  });
  if (error) return <div className="mt-3"><Failure error={error} /></div>;
  if (!data) return <Loading className="mt-3 h-24" />;
  if (data.length === 0) return <p role="status" className="mt-3 text-sm text-muted">No tenant has “{search}” in its name or slug.</p>;
  return (
    <ul aria-label="Tenants" className="mt-2 flex flex-col gap-px">
      {data.map((tenant) => (
        <li key={tenant.id}>
          <button type="button" aria-pressed={tenant.id === chosen} onClick={() => choose(tenant)} className="flex w-full items-center justify-between gap-3 rounded-lg px-2.5 py-1.5 text-left text-sm hover:bg-sunken aria-pressed:bg-accent-soft aria-pressed:text-accent-ink">
            <span className="min-w-0 truncate"><b className="font-medium">{tenant.name}</b> <span className="text-muted">{tenant.slug}</span></span>
            {tenant.lifecycle_state !== 'active' && <Badge>{tenant.lifecycle_state}</Badge>}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** How a tenant's context is answered. */
interface Answered { version: string; fromMemory: boolean; timing: string; size: number }

async function lookUp(id: string, signal: AbortSignal): Promise<Answered> {
  const answer = await checked(vital.fetch('/v1/context', { headers: { 'Vital-Tenant': id }, signal, cache: 'no-store' }));
  const body = await answer.text();
  const timing = answer.headers.get('Server-Timing') ?? '';
  return { version: answer.headers.get('Vital-Version')?.split('.')[1] ?? '–', fromMemory: /\bcache\b/.test(timing), timing: /(?:cache|db);dur=([\d.]+)/.exec(timing)?.[1] ?? '', size: new Blob([body]).size };
}

function Looked({ tenant }: { tenant: Tenant }) {
  const { data, error, refetch, isFetching } = useQuery({ queryKey: [...vitalKey, 'cache', 'looked', tenant.id], queryFn: ({ signal }) => lookUp(tenant.id, signal), staleTime: 0 });
  return (
    <section aria-label={`Cache of ${tenant.name}`} className="flex flex-col gap-4 rounded-lg border border-line p-4">
      <h3 className="font-semibold">{tenant.name}</h3>
      {error ? <Failure what="It could not be looked up" error={error} /> : !data ? <Loading className="h-24" /> : (
        <dl aria-busy={isFetching} className="grid grid-cols-[7.5rem_minmax(0,1fr)] gap-y-2 text-sm">
          <dt className="text-muted">Version</dt><dd className="font-semibold tabular-nums">{data.version}</dd>
          <dt className="text-muted">Answered</dt><dd>{data.fromMemory ? <Badge dot tone="ok">from memory</Badge> : <Badge dot tone="info">from the database</Badge>}{data.timing && <span className="text-muted"> in {data.timing} ms</span>}</dd>
          <dt className="text-muted">Context</dt><dd className="tabular-nums">{bytes(data.size)}, for you</dd>
          <dt className="text-muted">Key in Redis</dt><dd className="font-mono text-xs break-all">tenant:{tenant.id}:config</dd>
        </dl>
      )}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => { void refetch(); }} pending={isFetching} icon={<Search className="size-4" aria-hidden />}>Look up again</Button>
        <Invalidate tenant={tenant} />
      </div>
    </section>
  );
}
