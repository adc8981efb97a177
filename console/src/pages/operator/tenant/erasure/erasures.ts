// Erasures of tenants and legal holds, as operators see them.
import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../../../api/answer';
import { rest } from '../../../../session/clients';
import { userOf } from './standing';

export interface Erasure {
  id: string; subject: string; subject_id: string; reason: string; state: string; requested_by: string; requested_at: string; not_before: string;
  approved_by: string | null; approved_at: string | null; started_at: string | null; finished_at: string | null; cancelled_by: string | null; cancelled_at: string | null;
  on_hold: boolean; clean: boolean | null;
}

export interface Hold { reason: string; placed_by: string; placed_at: string }

/** How often it is looked again while one is under way, in milliseconds: its steps are taken elsewhere, too. */
const every = 30_000;

export const underWay = ['requested', 'approved', 'running'];

/** What stands of a tenant's erasure: the one that is under way, those that were called off, and whether the tenant is held. */
export function useErasures(tenant: string) {
  return useQuery({
    queryKey: [...vitalKey, 'erasures', tenant],
    queryFn: async ({ signal }) => {
      const [erasures, [hold]]: [Erasure[], Hold[]] = await Promise.all([
        told(rest.rpc('list_erasures', undefined, { get: true }).eq('subject', 'tenant').eq('subject_id', tenant).order('requested_at', { ascending: false }).abortSignal(signal)),
        told(rest.rpc('list_legal_holds', undefined, { get: true }).eq('tenant_id', tenant).abortSignal(signal)),
      ]);
      const open = erasures.find(({ state }) => underWay.includes(state));
      return { open, former: erasures.filter((one) => one !== open), hold, emails: await emailsOf([...erasures.flatMap((one) => [one.requested_by, one.approved_by, one.cancelled_by]), hold?.placed_by], signal) };
    },
    refetchInterval: ({ state }) => (state.data?.open ? every : false),
  });
}

/** The addresses of users, by what the database calls whoever has acted. */
async function emailsOf(names: (string | null | undefined)[], signal: AbortSignal): Promise<Record<string, string>> {
  const ids = [...new Set(names.flatMap((name) => userOf(name) ?? []))];
  const users = ids.length > 0 ? await told(rest.from('users').select('id,email').in('id', ids).abortSignal(signal)) : [];
  return Object.fromEntries(users.map(({ id, email }) => [`user:${id}`, email]));
}
