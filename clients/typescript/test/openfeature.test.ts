import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { afterEach, expect, test } from 'vitest';
import { VitalClient } from '../src/index.js';
import { VitalProvider } from '../src/openfeature.js';
import { FakeVital, problem, tokenOf, until } from './fake.js';

afterEach(() => OpenFeature.close());

async function provided(vital: FakeVital, token: () => string | null = () => tokenOf('ada')) {
  const client = new VitalClient({ url: 'http://vital.test', getToken: token, fetch: vital.fetch, storage: null });
  await client.context();
  await OpenFeature.setProviderAndWait(new VitalProvider(client), { targetingKey: 'ada', plan: 'pro' });
  return { client, flags: OpenFeature.getClient() };
}

test('OpenFeature gets values, variants and reasons', async () => {
  const vital = new FakeVital();
  const { flags } = await provided(vital);
  expect(flags.getBooleanDetails('beta', true)).toMatchObject({ value: false, variant: 'off', reason: 'STATIC' });
  expect(flags.getNumberValue('size', 1)).toBe(10);
  expect(flags.getStringDetails('size', 's')).toMatchObject({ value: 's', errorCode: 'TYPE_MISMATCH' });
  expect(flags.getBooleanDetails('unknown', true)).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' });
  expect(flags.getBooleanDetails('off', true)).toMatchObject({ value: true, reason: 'DISABLED' });
  expect(vital.asked.find((each) => each.path.startsWith('/ofrep'))!.body).toEqual({ context: { targetingKey: 'ada', plan: 'pro' } });
});

test('OpenFeature hears of a change, and of a context of its own', async () => {
  const vital = new FakeVital();
  const { flags } = await provided(vital);
  const changed: unknown[] = [];
  flags.addHandler(ProviderEvents.ConfigurationChanged, (event) => { changed.push(event?.flagsChanged); });
  await until(() => vital.streams === 1, 'a stream');
  vital.change(() => { vital.flags.beta!.value = true; });
  await until(() => changed.length === 1, 'the change');
  expect(changed).toEqual([['beta']]);
  expect(flags.getBooleanValue('beta', false)).toBe(true);
  await OpenFeature.setContext({ targetingKey: 'other' });
  expect(vital.asked.at(-1)!.body).toEqual({ context: { targetingKey: 'other' } });
});

test('OpenFeature keeps nothing of a tenant that was left', async () => {
  const vital = new FakeVital();
  const { client, flags } = await provided(vital);
  vital.flags.beta!.value = true;
  vital.before = (each) => (each.path.startsWith('/ofrep') ? problem(500, 'internal') : undefined);
  const failed: unknown[] = [];
  flags.addHandler(ProviderEvents.Error, (event) => { failed.push(event?.message); });
  await client.switchTenant('b');
  expect(flags.getNumberValue('size', 1)).toBe(1);
  await until(() => failed.includes('It is internal.'), 'the error');
});

test('OpenFeature leaves no stream when it is closed', async () => {
  const vital = new FakeVital();
  await provided(vital);
  await until(() => vital.streams === 1, 'a stream');
  await OpenFeature.close();
  await until(() => vital.streams === 0, 'no stream');
});
