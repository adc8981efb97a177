import { expect, test } from 'vitest';
import type { Erasure } from './erasures';
import { actorOf, standingOf, type Standing } from './standing';

const now = Date.parse('2026-06-01T00:00:00Z');
const archived = { id: 'acme', lifecycle_state: 'archived' as const };
const hold = { reason: 'a court asks', placed_by: 'user:root', placed_at: '2026-05-01T00:00:00Z' };
const erasure = (state: string, notBefore = '2026-07-01T00:00:00Z') => ({ state, requested_by: 'user:root', not_before: notBefore }) as Erasure;

const standing = (given: Partial<Parameters<typeof standingOf>[0]>): Standing => standingOf({ tenant: archived, open: undefined, hold: undefined, user: 'nina', now, ...given });

test('only an archived tenant is asked for, and never the platform', () => {
  expect(standing({})).toEqual({ next: 'request', cancellable: false });
  for (const lifecycle_state of ['pending', 'active', 'suspended'] as const) {
    expect(standing({ tenant: { ...archived, lifecycle_state } })).toMatchObject({ next: 'request', obstacle: 'not archived' });
  }
  expect(standing({ tenant: { ...archived, id: '00000000-0000-0000-0000-000000000001' } })).toMatchObject({ next: undefined, obstacle: 'platform' });
});

test('another approves than the one who asked, and a login of the database is another', () => {
  expect(standing({ open: erasure('requested') })).toEqual({ next: 'approval', obstacle: undefined, cancellable: true });
  expect(standing({ open: erasure('requested'), user: 'root' })).toMatchObject({ next: 'approval', obstacle: 'own request' });
  expect(standing({ open: { ...erasure('requested'), requested_by: 'login:root' }, user: 'root' }).obstacle).toBeUndefined();
});

test('it waits, then it is run, and once it runs there is no way back', () => {
  expect(standing({ open: erasure('approved') })).toMatchObject({ next: 'wait', cancellable: true });
  expect(standing({ open: erasure('approved', '2026-06-01T00:00:00Z') })).toMatchObject({ next: 'run', cancellable: true });
  expect(standing({ open: erasure('running') })).toMatchObject({ next: 'run', cancellable: false });
});

test('a hold stands in the way of every step, and of no calling off', () => {
  expect(standing({ hold })).toMatchObject({ next: 'request', obstacle: 'held' });
  for (const state of ['requested', 'approved']) expect(standing({ hold, open: erasure(state) })).toMatchObject({ obstacle: 'held', cancellable: true });
  expect(standing({ hold, open: erasure('running') })).toMatchObject({ next: 'run', obstacle: 'held' });
});

test('who acted is told by address, by id where the account is gone, or by login', () => {
  const emails = { 'user:1': 'root@platform.test' };
  expect([actorOf('user:1', emails), actorOf('user:2', emails), actorOf('login:ann', emails), actorOf(null, emails)]).toEqual(['root@platform.test', 'user 2', 'login ann', '']);
});
