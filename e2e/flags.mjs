// Feature flags for the tests to look at.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const many = 500;
/** A key that is no word. */
export const odd = 'billing/checkout.v2 – größer';

/** Imports many flags, and one whose key is no word, with a rule. */
export async function plantFlags(vital) {
  const flags = Object.fromEntries(Array.from({ length: many }, (_, i) => [`area-${i % 10}.option-${String(i).padStart(3, '0')}`, {
    state: 'ENABLED', metadata: { 'vital.name': `Option ${i}`, 'vital.owner': 'Growth' },
    ...(i % 5 === 0 ? { variants: { low: 1, high: 100 }, defaultVariant: 'low' } : { variants: { on: true, off: false }, defaultVariant: 'off' }),
  }]));
  flags[odd] = {
    state: 'ENABLED', variants: { old: 'old', new: 'new', beta: 'beta' }, defaultVariant: 'old', metadata: { 'vital.name': 'Checkout' },
    targeting: { if: [{ $ref: 'enterprise' }, 'new', { fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'tenant.id' }] }, ['beta', 25], ['old', 75]] }] },
  };
  const file = join(vital.dataDir, '..', 'flags.json');
  await writeFile(file, JSON.stringify({ $evaluators: { enterprise: { '>=': [{ var: 'tenant.tier' }, 3] } }, flags }));
  await vital.command('flags', 'import', file, '--apply');
}

/** The address of a tenant's flag. */
export const flagAt = (tenant, key) => `/t/${tenant}/flags/${encodeURIComponent(key)}`;
