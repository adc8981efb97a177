// OpenFeature's own SDKs and OFREP providers, unmodified, on a server and in a real browser.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as ServerSDK } from '@openfeature/server-sdk';
import { OpenFeature as WebSDK, ProviderEvents } from '@openfeature/web-sdk';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { ada, alex, ben, cyd, dana, up } from './server.mjs';

const first = 'digital-health';
const second = 'pharma';
const boolean = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const oddKeys = ['area/page/part', 'v1.2.3-rc.1', 'two words', ' edges ', '100%', '50%25', 'a?b=c#d&e;f', '"quoted\\', '日本 🚀', 'constructor'];
const flags = {
  release: { ...boolean, defaultVariant: 'off' },
  switch: boolean,
  greeting: {
    state: 'ENABLED', variants: { plain: 'hello', pharma: 'welcome', gold: 'at your service' }, defaultVariant: 'plain', metadata: { owner: 'growth', since: 3 },
    targeting: { if: [{ '==': [{ var: 'tenant.slug' }, second] }, 'pharma', { '==': [{ var: 'plan' }, 'gold'] }, 'gold'] },
  },
  limit: { state: 'ENABLED', variants: { low: 10.5, zero: 0 }, defaultVariant: 'low' },
  theme: { state: 'ENABLED', variants: { calm: { accent: '#4F46E5', radius: 8, steps: [1, { deep: null }] } }, defaultVariant: 'calm' },
  undecided: { state: 'ENABLED', variants: { one: 'one', two: 'two' } },
  who: { state: 'ENABLED', variants: { member: 'member', other: 'other' }, defaultVariant: 'other', targeting: { if: [{ '==': [{ var: 'member.role' }, 'member'] }, 'member'] } },
};
for (const key of oddKeys) flags[key] = boolean;

const executablePath = [
  process.env.VITAL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));

let vital;
let keys; // of the tenants, for servers
let application; // the web server of a page that may call
let foreign; // somebody else's
let browser;

before(async () => {
  const bundle = await build({
    stdin: {
      contents: 'export { OpenFeature, ProviderEvents } from "@openfeature/web-sdk"; export { OFREPWebProvider } from "@openfeature/ofrep-web-provider";',
      resolveDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
    },
    bundle: true, write: false, format: 'iife', globalName: 'sdk',
  });
  const page = `<!doctype html><meta charset="utf-8"><title>Flags</title><script>${bundle.outputFiles[0].text.replaceAll('</script', '<\\/script')}</script>`;
  [application, foreign] = await Promise.all([webServer(page), webServer(page)]);
  vital = await up({ VITAL_CORS_ORIGINS: application.origin });
  const file = join(vital.dataDir, '..', 'flags.json');
  await writeFile(file, JSON.stringify({ flags }));
  await vital.command('flags', 'import', file, '--apply');
  const [a, b] = await Promise.all([first, second].map((tenant) => vital.command('key', 'create', '--tenant', tenant, '--name', 'test')));
  keys = { [first]: a, [second]: b };
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: ['--disable-gpu', '--disable-quic', '--no-first-run'] });
});

after(async () => {
  await ServerSDK.close();
  await WebSDK.close();
  await browser?.close();
  application?.server.close();
  foreign?.server.close();
  await vital?.stop();
});

afterEach(async () => {
  await ServerSDK.clearProviders();
  await WebSDK.clearProviders();
  await Promise.all(browser.contexts().map((context) => context.close()));
});

async function webServer(page) {
  const server = createServer((request, response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

const bearing = (credential) => ({ Authorization: `Bearer ${credential}` });
let domains = 0;

/** A client of the server SDK with a credential. */
async function onServer(headers, context) {
  const domain = `server-${++domains}`;
  await ServerSDK.setProviderAndWait(domain, new OFREPProvider({ baseUrl: vital.url, headers: Object.entries(headers) }), context);
  return ServerSDK.getClient(domain);
}

/** A client of the web SDK in this process, which has neither EventSource nor storage: it polls. */
async function onWeb(headers, options = {}, context = {}) {
  const domain = `web-${++domains}`;
  await WebSDK.setContext(domain, context);
  const provider = new OFREPWebProvider({ baseUrl: vital.url, headers: Object.entries(headers), cacheMode: 'disabled', ...options });
  await WebSDK.setProviderAndWait(domain, provider);
  return WebSDK.getClient(domain);
}

/** Asks as any HTTP client does. */
async function ask(path, headers, body = '{}', method = 'POST') {
  const response = await fetch(`${vital.url}/ofrep/v1/${path}`, { method, headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, etag: response.headers.get('etag'), text, body: text && JSON.parse(text) };
}

const evaluateAll = (headers, body) => ask('evaluate/flags', headers, body);
const valuesOf = (answer) => Object.fromEntries(answer.body.flags.map((flag) => [flag.key, flag.value]));

/** An admin sets a flag of their tenant; null is the flag's default again. */
async function toggle(email, flag_key, enabled) {
  const headers = bearing(await vital.token(email));
  const { organization: tenant } = await (await fetch(`${vital.url}/v1/context`, { headers })).json();
  const started = Date.now();
  const response = await fetch(`${vital.url}/api/tenants/${tenant.id}/features/toggle`, {
    method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ flag_key, enabled }),
  });
  assert.ok(response.ok, await response.text());
  return started;
}

async function until(condition, what, milliseconds = 10_000) {
  for (const end = Date.now() + milliseconds; ;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A stream of events as EventSource reads it. */
async function openStream(uri, headers = {}) {
  const controller = new AbortController();
  const response = await fetch(new URL(uri, vital.url), { headers, signal: controller.signal });
  const stream = { status: response.status, headers: response.headers, text: '', ended: false, close: () => controller.abort() };
  stream.events = () => [...stream.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data));
  stream.read = (async () => {
    try {
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) stream.text += chunk;
    } catch (error) {
      if (error.name !== 'AbortError') stream.error = error;
    }
    stream.ended = true;
  })();
  return stream;
}

const streamOf = async (headers, body) => (await evaluateAll(headers, body)).body.eventStreams[0].endpoint.requestUri;

/** A token of a user that has expired. */
async function expired(email) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from((await vital.token(email)).split('.')[1], 'base64url').toString());
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, iat: now - 7200, exp: now - 3600 })}`;
  return `${text}.${createHmac('sha256', await vital.jwtSecret()).update(text).digest('base64url')}`;
}

const picked = ({ value, variant, reason, errorCode }) => ({ value, variant, reason, errorCode });
const found = (value, variant, reason = 'STATIC') => ({ value, variant, reason, errorCode: undefined });

describe('the server SDK', () => {
  for (const [who, headers] of [
    ['a user\'s token', async () => bearing(await vital.token(ben))],
    ['a tenant\'s key', () => bearing(keys[first])],
    ['a tenant\'s key as X-API-Key', () => ({ 'X-API-Key': keys[first] })],
  ]) {
    test(`evaluates every type with ${who}`, async () => {
      const client = await onServer(await headers());
      assert.deepEqual(picked(await client.getBooleanDetails('release', true)), found(false, 'off'));
      assert.deepEqual(picked(await client.getBooleanDetails('switch', false)), found(true, 'on'));
      assert.deepEqual(picked(await client.getNumberDetails('limit', 1)), found(10.5, 'low'));
      assert.deepEqual(picked(await client.getObjectDetails('theme', {})), found(flags.theme.variants.calm, 'calm'));
      const greeting = await client.getStringDetails('greeting', 'x');
      assert.deepEqual(picked(greeting), found('hello', 'plain', 'DEFAULT'));
      assert.deepEqual(greeting.flagMetadata, { owner: 'growth', since: 3 });
      assert.deepEqual(picked(await client.getStringDetails('greeting', 'x', { plan: 'gold' })), found('at your service', 'gold', 'TARGETING_MATCH'));
    });
  }

  test('each tenant has its own values, whatever the context claims', async () => {
    const ours = await onServer(bearing(keys[first]));
    const theirs = await onServer(bearing(keys[second]));
    assert.equal(await ours.getStringValue('greeting', 'x'), 'hello');
    assert.equal(await theirs.getStringValue('greeting', 'x'), 'welcome');
    const claimed = { tenant: { slug: second, id: 'x' }, 'tenant.slug': second, tenant_id: second, member: { role: 'member' } };
    assert.equal(await ours.getStringValue('greeting', 'x', claimed), 'hello');
    assert.equal(await ours.getStringValue('who', 'x', claimed), 'other');
    assert.equal(await (await onServer(bearing(await vital.token(ben)))).getStringValue('who', 'x'), 'member');
  });

  test('a user of two tenants names one; nobody names another\'s', async () => {
    const headers = bearing(await vital.token(dana));
    const greeting = async (headers) => (await onServer(headers)).getStringDetails('greeting', 'x');
    assert.equal((await greeting({ ...headers, 'Vital-Tenant': first })).value, 'hello');
    assert.equal((await greeting({ ...headers, 'Vital-Tenant': second })).value, 'welcome');
    for (const stranger of [bearing(await vital.token(ben)), bearing(keys[first])]) {
      const { value, errorCode } = await greeting({ ...stranger, 'Vital-Tenant': second });
      assert.deepEqual([value, errorCode], ['x', 'GENERAL']);
      assert.equal((await evaluateAll({ ...stranger, 'Vital-Tenant': second })).status, 403);
    }
  });

  test('every error is the default value and a code', async () => {
    const client = await onServer(bearing(keys[first]));
    const failed = async (details, value, code) => {
      const { value: got, reason, errorCode } = await details;
      assert.deepEqual({ got, reason, errorCode }, { got: value, reason: 'ERROR', errorCode: code });
    };
    await failed(client.getBooleanDetails('nowhere', true), true, 'FLAG_NOT_FOUND');
    await failed(client.getStringDetails('limit', 'mine'), 'mine', 'TYPE_MISMATCH');
    await failed(client.getNumberDetails('greeting', 7), 7, 'TYPE_MISMATCH');
    await failed((await onServer(bearing('nonsense'))).getStringDetails('greeting', 'mine'), 'mine', 'GENERAL');
    await failed((await onServer({})).getStringDetails('greeting', 'mine'), 'mine', 'GENERAL');
    await failed((await onServer(bearing(await expired(ada)))).getStringDetails('greeting', 'mine'), 'mine', 'GENERAL');
    await failed((await onServer(bearing(vital.anonKey))).getStringDetails('greeting', 'mine'), 'mine', 'GENERAL');
  });

  test('a flag that is off, or decides nothing, leaves the default value', async () => {
    const client = await onServer(bearing(keys[first]));
    assert.equal(await client.getStringValue('undecided', 'mine'), 'mine');
    const { status, body } = await ask('evaluate/flags/undecided', bearing(keys[first]));
    assert.deepEqual([status, body], [200, { key: 'undecided', reason: 'DEFAULT' }]);
    await vital.command('flags', 'set', 'switch', 'is_active=false', '--reason', 'it broke');
    try {
      await until(async () => await client.getBooleanValue('switch', false) === false, 'the kill switch');
      assert.deepEqual((await ask('evaluate/flags/switch', bearing(keys[first]))).body, { key: 'switch', reason: 'DISABLED' });
      assert.deepEqual((await ask('evaluate/flags/switch', bearing(keys[second]))).body, { key: 'switch', reason: 'DISABLED' });
    } finally {
      await vital.command('flags', 'set', 'switch', 'is_active=true');
    }
    await until(() => client.getBooleanValue('switch', false), 'the flag to be back');
  });

  test('any key can be asked for', async () => {
    const client = await onServer(bearing(keys[first]));
    for (const key of oddKeys) {
      // This provider puts a key into the address as it is, so what would not survive there is written as it must stand there.
      const details = await client.getBooleanDetails(encodeURIComponent(key), false);
      assert.deepEqual(picked(details), found(true, 'on'), key);
    }
    for (const key of ['area/page/part', 'v1.2.3-rc.1', 'two words', '日本 🚀']) {
      assert.deepEqual(picked(await client.getBooleanDetails(key, false)), found(true, 'on'), key);
    }
  });

  test('the tenant\'s suspension refuses its users and keys, and nobody else\'s', async () => {
    const ours = await onServer(bearing(keys[first]));
    const user = await onServer(bearing(await vital.token(cyd)));
    const key = await onServer(bearing(keys[second]));
    for (const client of [user, key]) assert.equal(await client.getStringValue('greeting', 'x'), 'welcome');
    await vital.command('tenant', 'suspend', second, '--reason', 'test');
    try {
      for (const client of [user, key]) {
        const { value, errorCode } = await until(async () => {
          const details = await client.getStringDetails('greeting', 'x');
          return details.errorCode && details;
        }, 'the suspension');
        assert.deepEqual([value, errorCode], ['x', 'GENERAL']);
      }
      assert.equal((await evaluateAll(bearing(keys[second]))).body.code, 'tenant_suspended');
      assert.equal(await ours.getStringValue('greeting', 'x'), 'hello');
    } finally {
      await vital.command('tenant', 'activate', second, '--reason', 'test');
    }
    await until(async () => await key.getStringValue('greeting', 'x') === 'welcome', 'the tenant to be back');
  });
});

describe('the web SDK', () => {
  test('evaluates every type, and every key', async () => {
    const client = await onWeb(bearing(await vital.token(ben)), {}, { targetingKey: 'ben', plan: 'gold' });
    assert.deepEqual(picked(client.getBooleanDetails('release', true)), found(false, 'off'));
    assert.deepEqual(picked(client.getNumberDetails('limit', 1)), found(10.5, 'low'));
    assert.deepEqual(picked(client.getObjectDetails('theme', {})), found(flags.theme.variants.calm, 'calm'));
    assert.deepEqual(picked(client.getStringDetails('greeting', 'x')), found('at your service', 'gold', 'TARGETING_MATCH'));
    assert.deepEqual(picked(client.getStringDetails('undecided', 'mine')), { value: 'mine', variant: undefined, reason: 'DEFAULT', errorCode: undefined });
    for (const key of oddKeys) assert.deepEqual(picked(client.getBooleanDetails(key, false)), found(true, 'on'), key);
  });

  test('every error is the default value and a code', async () => {
    const client = await onWeb(bearing(keys[first]));
    assert.deepEqual(picked(client.getBooleanDetails('nowhere', true)), { value: true, variant: undefined, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' });
    assert.deepEqual(picked(client.getStringDetails('limit', 'mine')), { value: 'mine', variant: undefined, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' });
    for (const credential of ['nonsense', await expired(ada), vital.anonKey]) {
      await assert.rejects(onWeb(bearing(credential)), (error) => error.code === 'PROVIDER_FATAL');
    }
    await assert.rejects(onWeb({ ...bearing(keys[first]), 'Vital-Tenant': second }), (error) => error.code === 'PROVIDER_FATAL');
  });

  test('sees a toggle by polling, and is told otherwise that nothing has changed', async (t) => {
    const statuses = [];
    const counting = async (...request) => {
      const response = await fetch(...request);
      statuses.push(response.status);
      return response;
    };
    const client = await onWeb(bearing(await vital.token(ben)), { pollInterval: 50, fetchImplementation: counting });
    const other = await onWeb(bearing(keys[second]), { pollInterval: 50 });
    await until(() => statuses.filter((status) => status === 304).length >= 5, 'polls');
    assert.deepEqual(new Set(statuses.slice(statuses.indexOf(304))), new Set([304])); // before, a poll may overtake the first answer on its way
    const changed = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => changed.push(...flagsChanged));
    const before = statuses.filter((status) => status === 200).length;
    await toggle(ada, 'release', true);
    try {
      await until(() => client.getBooleanValue('release', false), 'the toggle');
      assert.deepEqual(changed, ['release']);
      assert.equal(other.getBooleanValue('release', true), false);
      assert.equal(statuses.filter((status) => status === 200).length, before + 1);
      const polls = statuses.length;
      await until(() => statuses.length >= polls + 3, 'more polls');
      assert.deepEqual(statuses.slice(polls), statuses.slice(polls).map(() => 304));
      t.diagnostic(`${statuses.length} polls, ${statuses.filter((status) => status === 304).length} of them answered 304`);
    } finally {
      await toggle(ada, 'release', null);
    }
    await until(() => !client.getBooleanValue('release', true), 'the flag to be back');
  });
});

describe('the protocol', () => {
  test('a context that is no object is refused', async () => {
    for (const path of ['evaluate/flags', 'evaluate/flags/release']) {
      for (const body of ['{"context":[1]}', '{"context":"x"}', '{"context":1}', '{"context":true}']) {
        const { status, body: { errorCode } } = await ask(path, bearing(keys[first]), body);
        assert.deepEqual([status, errorCode], [400, 'INVALID_CONTEXT'], `${path} ${body}`);
      }
      for (const body of ['{', '[]', '"x"', '{"context":{}', '{"context":{}}x']) {
        const { status, body: { errorCode } } = await ask(path, bearing(keys[first]), body);
        assert.deepEqual([status, errorCode], [400, 'PARSE_ERROR'], `${path} ${body}`);
      }
    }
    for (const body of ['', '{}', '{"context":null}', '{"context":{}}']) assert.equal((await evaluateAll(bearing(keys[first]), body)).status, 200, body);
  });

  test('who is refused is told how to mend it', async () => {
    for (const [headers, status, code] of [
      [{}, 401, 'token_missing'],
      [bearing('nonsense'), 401, 'token_malformed'],
      [bearing(await expired(ada)), 401, 'token_expired'],
      [bearing(vital.anonKey), 401, 'user_required'],
    ]) {
      for (const path of ['evaluate/flags', 'evaluate/flags/release']) {
        const answer = await ask(path, headers);
        assert.deepEqual([answer.status, answer.body.code, answer.body.errorCode], [status, code, 'GENERAL']);
        assert.ok(answer.body.hint);
      }
    }
  });

  test('a validator of one tenant says nothing to another', async () => {
    const ours = await evaluateAll(bearing(keys[first]));
    const theirs = await evaluateAll(bearing(keys[second]));
    assert.notEqual(ours.etag, theirs.etag);
    const again = (key, etag, body) => evaluateAll({ ...bearing(key), 'if-none-match': etag }, body);
    assert.equal((await again(keys[first], ours.etag)).status, 304);
    assert.equal((await again(keys[first], `"x", W/${ours.etag}`)).status, 304);
    assert.equal((await again(keys[first], ours.etag, '{"context":{"plan":"gold"}}')).status, 200, 'another context');
    const crossed = await again(keys[second], ours.etag);
    assert.equal(crossed.status, 200);
    assert.equal(valuesOf(crossed).greeting, 'welcome');
    const [member, admin] = await Promise.all([ben, ada].map(async (email) => bearing(await vital.token(email))));
    assert.equal((await evaluateAll({ ...admin, 'if-none-match': (await evaluateAll(member)).etag })).status, 200, 'another user');
  });

  test('an event stream tells of its own tenant alone, and of nothing but that', async () => {
    const [ours, theirs] = await Promise.all([first, second].map(async (tenant) => openStream(await streamOf(bearing(keys[tenant])))));
    try {
      assert.deepEqual([ours.status, ours.headers.get('content-type')], [200, 'text/event-stream']);
      await until(() => ours.text && theirs.text, 'the streams');
      await toggle(cyd, 'release', true);
      const [event] = await until(() => theirs.events().length && theirs.events(), 'an event');
      assert.equal(event.type, 'refetchEvaluation');
      assert.deepEqual(Object.keys(event).sort(), ['etag', 'type']);
      await vital.command('flags', 'set', 'release', 'description="for all"');
      await until(() => ours.events().length && theirs.events().length === 2, 'an event for everybody');
      assert.equal(ours.events().length, 1, 'the other tenant\'s toggle was not told');
    } finally {
      ours.close();
      theirs.close();
      await toggle(cyd, 'release', null);
    }
  });

  test('a token of an event stream opens nothing else, and cannot be changed', async () => {
    const [ours, theirs] = await Promise.all([first, second].map((tenant) => streamOf(bearing(keys[tenant]))));
    const token = new URL(ours, vital.url).searchParams.get('token');
    for (const path of ['evaluate/flags', 'evaluate/flags/release']) {
      assert.equal((await ask(path, bearing(token))).status, 401);
      assert.equal((await ask(`${path}?token=${token}`, {})).status, 401);
    }
    const [payload, signature] = token.split('.');
    const other = new URL(theirs, vital.url).searchParams.get('token').split('.');
    const text = Buffer.from(payload, 'base64url').toString();
    const later = Buffer.from(text.replace(/\d+$/, '9999999999')).toString('base64url');
    for (const forged of ['', 'x', '.', payload, `${payload}.`, `${payload}.${other[1]}`, `${other[0]}.${signature}`, `${later}.${signature}`, token.slice(0, -2), `${token}.x`]) {
      const { status, close } = await openStream(`/ofrep/v1/events?token=${encodeURIComponent(forged)}`);
      close();
      assert.equal(status, 401, forged);
    }
  });

  test('a stream ends with the tenant\'s suspension and with the session, and does not open again', async () => {
    const supabase = vital.client();
    const { data: { session } } = await supabase.auth.signInWithPassword({ email: cyd, password: vital.passwords[cyd] });
    const uri = await streamOf(bearing(session.access_token));
    const stream = await openStream(uri);
    const neighbour = await openStream(await streamOf(bearing(keys[first])));
    const keyUri = await streamOf(bearing(keys[second]));
    const colleague = await openStream(keyUri);
    await until(() => stream.text && neighbour.text && colleague.text, 'the streams');
    assert.equal((await supabase.auth.signOut()).error, null);
    await until(() => stream.ended, 'the stream to end with its session');
    assert.equal(stream.events().length, 0);
    const again = await openStream(uri);
    again.close();
    assert.equal(again.status, 401);
    assert.equal(colleague.ended, false);

    await vital.command('tenant', 'suspend', second, '--reason', 'test');
    try {
      await until(() => colleague.ended, 'the stream to end with the suspension');
      const refused = await openStream(keyUri);
      refused.close();
      assert.equal(refused.status, 403);
      assert.equal(neighbour.ended, false);
    } finally {
      neighbour.close();
      await vital.command('tenant', 'activate', second, '--reason', 'test');
    }
  });

  test('a stream tells what changed before it was opened, and between two openings', async () => {
    const headers = bearing(keys[first]);
    const uri = await streamOf(headers);
    await toggle(ada, 'release', true);
    await until(async () => valuesOf(await evaluateAll(headers)).release, 'the toggle');
    const late = await openStream(uri);
    await until(() => late.events().length === 1, 'what was missed');
    const [, id] = late.text.match(/^id: (.*)$/m);
    late.close();

    await toggle(ada, 'release', null);
    await until(async () => !valuesOf(await evaluateAll(headers)).release, 'the toggle');
    const again = await openStream(uri, { 'Last-Event-ID': id });
    await until(() => again.events().length === 1, 'what was missed');
    again.close();
  });

  test('whose stream has ended with their token is told another with their next one', async () => {
    const before = await evaluateAll(bearing(await vital.token(ben, '--ttl', '2s')));
    const uri = before.body.eventStreams[0].endpoint.requestUri;
    const stream = await openStream(uri);
    assert.equal(stream.status, 200);
    await until(() => stream.ended, 'the token to expire');
    // A client keeps the address it knows when it is told that nothing has changed.
    const after = await evaluateAll({ ...bearing(await vital.token(ben)), 'if-none-match': before.etag });
    const next = await openStream(after.status === 304 ? uri : after.body.eventStreams[0].endpoint.requestUri);
    next.close();
    assert.equal(next.status, 200);
  });
});

describe('the web SDK in a browser', () => {
  /** Opens a page with the SDK; `flags` of it is the client. */
  async function open(credential, { origin = application.origin, headers = {}, options = {} } = {}) {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(45_000);
    await page.goto(origin);
    page.failure = await page.evaluate(async ({ baseUrl, headers, options }) => {
      window.changes = [];
      window.responses = [];
      const counting = async (...request) => {
        const response = await fetch(...request);
        window.responses.push({ status: response.status, etag: response.headers.get('etag') });
        return response;
      };
      window.flags = sdk.OpenFeature.getClient();
      window.flags.addHandler(sdk.ProviderEvents.ConfigurationChanged, (event) => window.changes.push({ at: Date.now(), flags: event.flagsChanged }));
      try {
        await sdk.OpenFeature.setContext({ targetingKey: 'page', plan: 'gold' });
        await sdk.OpenFeature.setProviderAndWait(new sdk.OFREPWebProvider({ baseUrl, headers: Object.entries(headers), fetchImplementation: counting, cacheMode: 'disabled', ...options }));
      } catch (error) {
        return error.code ?? String(error);
      }
    }, { baseUrl: vital.url, headers: { ...bearing(credential), ...headers }, options });
    return page;
  }

  test('evaluates every type and every error from another origin', async () => {
    const page = await open(await vital.token(ben));
    assert.equal(page.failure, undefined);
    const seen = await page.evaluate(() => ({
      release: flags.getBooleanDetails('release', true), limit: flags.getNumberDetails('limit', 1), theme: flags.getObjectDetails('theme', {}),
      greeting: flags.getStringDetails('greeting', 'x'), missing: flags.getStringDetails('nowhere', 'x'), wrong: flags.getStringDetails('limit', 'x'), responses,
    }));
    assert.deepEqual(picked(seen.release), found(false, 'off'));
    assert.deepEqual(picked(seen.limit), found(10.5, 'low'));
    assert.deepEqual(picked(seen.theme), found(flags.theme.variants.calm, 'calm'));
    assert.deepEqual(picked(seen.greeting), found('at your service', 'gold', 'TARGETING_MATCH'));
    assert.deepEqual([seen.missing.value, seen.missing.errorCode, seen.wrong.value, seen.wrong.errorCode], ['x', 'FLAG_NOT_FOUND', 'x', 'TYPE_MISMATCH']);
    assert.equal(seen.responses[0].status, 200);
    assert.ok(seen.responses[0].etag, 'the page may read the validator');
    assert.deepEqual(await page.evaluate((keys) => keys.map((key) => flags.getBooleanValue(key, false)), oddKeys), oddKeys.map(() => true));
  });

  test('is told of a toggle without polling or reloading, in its tenant alone', async (t) => {
    const ours = await open(await vital.token(ben));
    const theirs = await open(await vital.token(cyd));
    await new Promise((resolve) => setTimeout(resolve, 300)); // for the streams to open
    const value = (page) => page.evaluate(() => flags.getBooleanValue('release', false));
    assert.deepEqual([await value(ours), await value(theirs)], [false, false]);
    const started = await toggle(ada, 'release', true);
    try {
      await ours.waitForFunction(() => flags.getBooleanValue('release', false));
      const [change, ...more] = await ours.evaluate(() => changes);
      assert.deepEqual([change.flags, more], [['release'], []]);
      t.diagnostic(`a toggle was in the page ${change.at - started} ms after it was asked for`);
      assert.deepEqual(await ours.evaluate(() => responses.map(({ status }) => status)), [200, 200]);
      assert.equal(await value(theirs), false);
      assert.equal(await theirs.evaluate(() => responses.length), 1, 'the other tenant\'s page was not called');

      const stopped = Date.now();
      await vital.command('flags', 'set', 'switch', 'is_active=false', '--reason', 'kill switch');
      for (const page of [ours, theirs]) {
        await page.waitForFunction(() => flags.getBooleanDetails('switch', false).reason === 'DISABLED');
        const { at } = (await page.evaluate(() => changes)).at(-1);
        t.diagnostic(`a kill switch was in a page ${at - stopped} ms after the command was started`);
      }
    } finally {
      await Promise.all([toggle(ada, 'release', null), vital.command('flags', 'set', 'switch', 'is_active=true')]);
    }
    await ours.waitForFunction(() => !flags.getBooleanValue('release', true) && flags.getBooleanValue('switch', false));
  });

  test('is told nothing any more once its user has signed out', async () => {
    const supabase = vital.client();
    const { data: { session } } = await supabase.auth.signInWithPassword({ email: ben, password: vital.passwords[ben] });
    const page = await open(session.access_token);
    await new Promise((resolve) => setTimeout(resolve, 300)); // for the stream to open
    await supabase.auth.signOut();
    await toggle(ada, 'release', true);
    try {
      await page.waitForFunction(() => responses.at(-1).status === 401); // it tries again, and is refused
      assert.equal(await page.evaluate(() => flags.getBooleanValue('release', false)), false);
    } finally {
      await toggle(ada, 'release', null);
    }
  });

  test('a page of another origin, a service key and a bad token get nothing', async () => {
    assert.ok((await open(await vital.token(ben), { origin: foreign.origin })).failure);
    assert.equal((await open('nonsense')).failure, 'PROVIDER_FATAL');
    const uri = await streamOf(bearing(await vital.token(ben)));
    const page = await open(vital.serviceKey, { origin: foreign.origin });
    assert.ok(page.failure);
    const state = await page.evaluate((url) => new Promise((resolve) => {
      const source = new EventSource(url);
      source.onerror = () => resolve(source.readyState);
      source.onopen = () => resolve('open');
    }), new URL(uri, vital.url).href);
    assert.equal(state, 2, 'the browser keeps the stream from a page that may not call');
  });
});
