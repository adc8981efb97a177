import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Card } from '../../../ui/card';
import { Loading, Problem } from '../../../ui/state';
import type { TenantRow } from '../tenant';

/** What a tenant has of all that it needs to load. */
export function Completeness({ tenant }: { tenant: TenantRow }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'missing', tenant.id],
    queryFn: ({ signal }) => told(rest.rpc('detect_missing_tenant_data', { p_tenant_id: tenant.id }).abortSignal(signal)),
  });
  const missing = data?.filter(({ status }) => status !== 'OK').length ?? 0;
  return (
    <Card title="What it needs to load" description={data && (missing === 0 ? 'Everything is there.' : `${missing} of ${data.length} ${missing === 1 ? 'is' : 'are'} missing: “vital fix data” shows how to mend it.`)}>
      {error ? <Problem error={error} retry={() => { void refetch(); }} /> : !data ? <Loading /> : (
        <ul className="flex flex-col divide-y divide-line text-sm">
          {data.map(({ data_type: kind, status, record_count: count, issue }) => (
            <li key={kind} className="flex items-start gap-2.5 py-1.5 first:pt-0 last:pb-0">
              {status === 'OK' ? <CircleCheck className="mt-0.5 size-4 shrink-0 text-ok" aria-label="There:" /> : <TriangleAlert className="mt-0.5 size-4 shrink-0 text-bad" aria-label="Missing:" />}
              <span className="min-w-0 grow first-letter:uppercase">{kind.replaceAll('_', ' ')}{issue && <span className="block text-xs text-bad">{issue}</span>}</span>
              <span className="tabular-nums text-muted">{count.toLocaleString('en')}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
