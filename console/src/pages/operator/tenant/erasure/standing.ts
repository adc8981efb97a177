// Where the erasure of a tenant stands, and what is possible next.
import { platformId, type State } from '../states';
import type { Erasure, Hold } from './erasures';

/** The steps, in their order; an erasure that is under way stands at one of them. */
export const steps = ['request', 'approval', 'wait', 'run'] as const;
export type Step = (typeof steps)[number];

export interface Standing {
  /** What comes next; undefined where nothing can. */
  next: Step | undefined;
  /** Why what comes next must not be done, by this user or now. */
  obstacle?: 'platform' | 'not archived' | 'held' | 'own request';
  /** Whether it can still be called off. */
  cancellable: boolean;
}

export function standingOf({ tenant, open, hold, user, now }: {
  tenant: { id: string; lifecycle_state: State }; open: Erasure | undefined; hold: Hold | undefined; user: string; now: number;
}): Standing {
  if (tenant.id === platformId) return { next: undefined, obstacle: 'platform', cancellable: false };
  if (!open) return { next: 'request', obstacle: tenant.lifecycle_state !== 'archived' ? 'not archived' : held(hold), cancellable: false };
  const cancellable = open.state !== 'running';
  if (open.state === 'requested') return { next: 'approval', obstacle: userOf(open.requested_by) === user ? 'own request' : held(hold), cancellable };
  if (open.state === 'approved' && Date.parse(open.not_before) > now) return { next: 'wait', obstacle: held(hold), cancellable };
  return { next: 'run', obstacle: held(hold), cancellable };
}

const held = (hold: Hold | undefined) => (hold ? 'held' as const : undefined);

/** The id of a user, in what the database calls who acts: `user:ID`, or `login:NAME` for a login of its own. */
export function userOf(name: string | null | undefined): string | undefined {
  return name?.startsWith('user:') ? name.slice('user:'.length) : undefined;
}

/** Whoever has acted, as people know them. */
export function actorOf(name: string | null, emails: Record<string, string>): string {
  return name === null ? '' : emails[name] ?? name.replace(':', ' ');
}
