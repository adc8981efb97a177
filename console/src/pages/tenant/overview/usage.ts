import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { howMany, told } from '../../../api/answer';
import { rest } from '../../../session/clients';

/** What a tenant uses of a limit, or has of something. */
export interface Usage {
  limit_name: string;
  /** Null where the server measures it, and not the database. */
  used: number | null;
  /** Null where there is no limit. */
  allowed: number | null;
  /** There are more than `used`: counting ended there. */
  is_lower_bound: boolean;
}

/** What the tenant uses, by name. */
export function useUsage(): UseQueryResult<Map<string, Usage>> {
  const { organization: { id } } = useTenant();
  return useQuery({
    queryKey: [...vitalKey, 'usage', id],
    queryFn: async ({ signal }) => {
      const rows: Usage[] = await told(rest.rpc('get_tenant_usage', undefined, { get: true }).abortSignal(signal));
      return new Map(rows.map((row) => [row.limit_name, row]));
    },
  });
}

/** How many apps there are, hidden ones too, which no context tells of. */
export function useAppCount(): UseQueryResult<number> {
  const { organization: { id } } = useTenant();
  return useQuery({
    queryKey: [...vitalKey, 'apps', 'count', id],
    queryFn: ({ signal }) => howMany(rest.from('tenant_apps').select('id', { count: 'exact', head: true }).eq('tenant_id', id).abortSignal(signal)),
  });
}

/** A count as it is said. */
export function countOf({ used, is_lower_bound: more }: Usage): string {
  return used === null ? '–' : `${used.toLocaleString('en')}${more ? '+' : ''}`;
}
