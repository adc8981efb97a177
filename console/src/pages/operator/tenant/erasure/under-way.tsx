import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../../../api/answer';
import { rest } from '../../../../session/clients';
import { Badge } from '../../../../ui/badge';
import { Notice } from '../../../../ui/notice';
import { Time } from '../../../../ui/time';
import { underWay } from './erasures';

/** How many are shown. */
const shown = 5;

/** Which tenants are to be erased: whoever approves it learns of it here. */
export function ErasuresUnderWay() {
  const { data = [] } = useQuery({
    queryKey: [...vitalKey, 'erasures'],
    queryFn: async ({ signal }) => {
      const erasures = await told(rest.rpc('list_erasures', undefined, { get: true }).eq('subject', 'tenant').in('state', underWay).order('requested_at').limit(shown).abortSignal(signal));
      const tenants = erasures.length > 0 ? await told(rest.from('organizations').select('id,name,slug').in('id', erasures.map((one) => one.subject_id)).abortSignal(signal)) : [];
      return erasures.flatMap((erasure) => tenants.filter(({ id }) => id === erasure.subject_id).map(({ name, slug }) => ({ ...erasure, name, slug })));
    },
  });
  if (data.length === 0) return null;
  return (
    <Notice tone="warn" title={data.length === 1 ? 'A tenant is to be erased' : 'Tenants are to be erased'}>
      <ul className="flex flex-col gap-1">
        {data.map(({ id, name, slug, state, requested_at: at }) => (
          <li key={id} className="flex flex-wrap items-center gap-x-2"><Link to={'/operator/tenants/$slug' as string} params={{ slug } as never} className="font-medium underline">{name}</Link><Badge>{state === 'requested' ? 'waits for approval' : state}</Badge><span className="text-xs text-muted">asked for <Time at={at} /></span></li>
        ))}
      </ul>
    </Notice>
  );
}
