import { expect, test } from 'vitest';
import { condition, explain } from './logic';

const words = (rule: unknown) => condition(rule).map(({ text }) => text).join(' ');

test('a flag without a rule has no steps', () => {
  expect(explain({})).toEqual([]);
});

test('else if goes on where the former ended, and what is left out is the default', () => {
  const steps = explain({ if: [{ $ref: 'a' }, 'on', { if: [{ $ref: 'b' }, 'off'] }] });
  expect(steps.map(({ when, then }) => [when?.[0]?.text, then.kind])).toEqual([['a', 'variant'], ['b', 'variant'], [undefined, 'default']]);
});

test('a split is told in shares, and by what it is', () => {
  const [step] = explain({ fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'tenant.id' }] }, ['on', 5], ['off', 15]] });
  expect(step!.then).toEqual({ kind: 'split', by: 'tenant', parts: [{ outcome: { kind: 'variant', name: 'on' }, share: 0.25 }, { outcome: { kind: 'variant', name: 'off' }, share: 0.75 }] });
  expect(explain({ fractional: [['a'], ['b'], ['c', -1]] })[0]!.then).toMatchObject({ by: 'targeting key', parts: [{ share: 0.5 }, { share: 0.5 }, { share: 0 }] });
});

test.each([
  ['weights that are rules', { fractional: [['on', { '-': [{ var: '$flagd.timestamp' }, 1] }], ['off', 5]] }],
  ['weights that add up to nothing', { fractional: [['on', 0]] }],
  ['an operator it has no words for', { reduce: [1, 2] }],
])('%s are shown as they are', (_case, rule) => {
  expect(explain(rule)).toEqual([{ when: undefined, then: { kind: 'logic', rule } }]);
});

test('conditions are told in words, with brackets where they are needed', () => {
  expect(words({ and: [{ '==': [{ var: 'tenant.tier' }, 3] }, { or: [{ '!': { $ref: 'old' } }, { '<': [1, 2] }] }] })).toBe('tenant.tier is 3 and ( not old or 1 < 2 )');
  expect(words({ in: [{ var: ['plan', 'free'] }, ['pro', 'max']] })).toBe('plan is one of "pro" , "max"');
  expect(words({ sem_ver: [{ var: 'app' }, '^', '2'] })).toBe('version app ^ "2"');
  expect(words({ '<': [1, { var: 'x' }, 3] })).toBe('{"<":[1,{"var":"x"},3]}');
});
