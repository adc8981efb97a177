// The states of a tenant's life, and the moves between them.
import type { LifecycleAction } from '@vital-db/client';
import { Badge, type Tone } from '../../../ui/badge';

export const states = ['pending', 'active', 'suspended', 'archived'] as const;
export type State = (typeof states)[number];
export const tiers = ['free', 'standard', 'professional', 'enterprise'];

/** Owns what all tenants share; it stays active. */
export const platformId = '00000000-0000-0000-0000-000000000001';

const tones: Record<State, Tone> = { pending: 'warn', active: 'ok', suspended: 'bad', archived: 'neutral' };

export function StateBadge({ state }: { state: State }) {
  return <Badge dot tone={tones[state]}>{state}</Badge>;
}

export interface Move { action: LifecycleAction; label: string; done: string; consequence: string; danger: boolean; final?: true }

/** What can be done to a tenant in each state. */
export const moves: Record<State, Move[]> = {
  pending: [
    { action: 'approve', label: 'Approve', done: 'approved', danger: false, consequence: 'It becomes active: its members get in at once, with the configuration and the apps it was made with.' },
  ],
  active: [
    { action: 'suspend', label: 'Suspend', done: 'suspended', danger: true, consequence: 'Its members and admins lose it at once: every page they have open says that the tenant is suspended, and every request is refused. Its data stays as it is. Operators still get in, and can activate it again.' },
  ],
  suspended: [
    { action: 'activate', label: 'Activate', done: 'activated', danger: false, consequence: 'Its members get in again at once, as what they were; pages they have kept open come back within seconds.' },
    { action: 'archive', label: 'Archive', done: 'archived', danger: true, final: true, consequence: 'It serves nobody any more, and nobody changes anything of it, operators included. Its data is kept. There is no way back.' },
  ],
  archived: [],
};
