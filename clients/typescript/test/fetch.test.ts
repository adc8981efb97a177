import { PostgrestClient } from '@supabase/postgrest-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VitalClient, VitalError, type VitalClientOptions } from '../src/index.js';
import { FakeVital, problem, tabStorage, tokenOf } from './fake.js';

const url = 'http://vital.test';
let vital: FakeVital;
let token: string | null;

beforeEach(() => {
  vital = new FakeVital();
  token = tokenOf('ada');
});

afterEach(() => { vi.useRealTimers(); });

const client = (options: Partial<VitalClientOptions> = {}) => new VitalClient({ url: `${url}/`, getToken: () => token, fetch: vital.fetch, storage: tabStorage(), ...options });
const rowsOf = async (response: Promise<Response>): Promise<unknown> => (await response).json();
const caught = (promise: Promise<unknown>): Promise<VitalError> => promise.then(() => { throw new Error('it went well'); }, (error: VitalError) => error);
const last = () => vital.asked.at(-1)!;
const restError = (status: number, code: string) => new Response(JSON.stringify({ code, message: `It is ${code}.`, details: null, hint: null }), { status });

/** A fetch that holds each request back until it is let go, and ends it with its signal. */
function holding(): { fetch: typeof fetch; answer: (response: Response) => void } {
  let answer!: (response: Response) => void;
  const response = new Promise<Response>((resolve) => { answer = resolve; });
  const fetching: typeof fetch = (input, init) => (String(input).includes('/v1/context')
    ? vital.fetch(input, init)
    : Promise.race([response, new Promise<never>((_, reject) => { init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)); })]));
  return { fetch: fetching, answer };
}

describe('a request that is passed on', () => {
  test('is the caller\'s, in the tenant this client is in', async () => {
    const a = client();
    expect(a.url).toBe(url);
    expect(await rowsOf(a.fetch(`${url}/rest/v1/agents?select=*`))).toEqual([{ tenant: 'a' }]);
    expect(last().headers.get('Authorization')).toBe(`Bearer ${token}`);
    expect(last().headers.has('Vital-Tenant'), 'the default needs no name').toBe(false);
    await a.switchTenant('b');
    expect(await rowsOf(a.fetch(`${url}/rest/v1/agents`))).toEqual([{ tenant: 'b' }]);
    expect(last().headers.get('Vital-Tenant')).toBe('id-b');
  });

  test('keeps what it says itself, but for who is asking', async () => {
    await client().fetch('/rest/v1/agents', { method: 'POST', body: '{"name":"n"}', headers: { Prefer: 'return=minimal', Authorization: 'Bearer other', 'Vital-Tenant': 'b' } });
    expect(last()).toMatchObject({ method: 'POST', path: '/rest/v1/agents', body: { name: 'n' } });
    expect(Object.fromEntries(last().headers)).toMatchObject({ prefer: 'return=minimal', authorization: `Bearer ${token}`, 'vital-tenant': 'b' });
  });

  test('may be a Request', async () => {
    await client().fetch(new Request(`${url}/rest/v1/agents`, { method: 'DELETE', headers: { Prefer: 'count=exact' } }), { headers: { Prefer: 'tx=rollback' } });
    expect(last().method).toBe('DELETE');
    expect(Object.fromEntries(last().headers)).toMatchObject({ prefer: 'tx=rollback', authorization: `Bearer ${token}` });
  });

  test('goes past any cache of the browser, unless it says otherwise', async () => {
    const fetched = vi.fn(vital.fetch);
    const a = client({ fetch: fetched });
    await a.fetch('/rest/v1/agents');
    await a.fetch('/rest/v1/agents', { cache: 'force-cache' });
    expect(fetched.mock.calls.map(([, init]) => init!.cache)).toEqual(['no-store', 'force-cache']);
  });

  test('is refused where nobody is signed in, and is not sent', async () => {
    token = null;
    expect(await caught(client().fetch('/rest/v1/agents'))).toMatchObject({ code: 'token_missing' });
    expect(vital.asked).toEqual([]);
  });

  test.each([
    'http://other.test/rest/v1/agents', 'https://vital.test/rest/v1/agents', 'http://vital.test:81/rest/v1/agents', 'http://vital.test.evil.test/rest', 'rest/v1/agents', 'data:,x',
  ])('is not sent to %s', async (address) => {
    const error = await caught(client().fetch(address));
    expect(error).toBeInstanceOf(VitalError);
    expect(error).toMatchObject({ code: 'url_elsewhere', name: 'AbortError', message: expect.stringContaining(url), hint: expect.stringContaining('token') });
    expect(vital.asked).toEqual([]);
  });

  test('is sent to a path as one of the server\'s, however it looks', async () => {
    const fetched = vi.fn<typeof fetch>(async () => new Response());
    const a = client({ fetch: fetched });
    for (const path of ['//other.test/x', '/\\other.test/x', '/@other.test/x']) await a.fetch(path);
    expect(fetched.mock.calls.map(([input]) => new URL(String(input)).host)).toEqual(Array(3).fill('vital.test'));
  });

  test('is not led out of the path of its url', async () => {
    const a = client({ url: `${url}/base` });
    for (const address of ['/../rest/v1/agents', '/%2e%2e/rest', `${url}/basement`, new URL(`${url}/rest`), new Request(`${url}/rest`)]) {
      expect(await caught(a.fetch(address))).toMatchObject({ code: 'url_elsewhere', name: 'AbortError' });
    }
    expect(vital.asked).toEqual([]);
  });
});

describe('versions', () => {
  test('what a change has shown is in every read after it, of rows and of the context', async () => {
    const a = client();
    await a.context();
    await a.fetch('/rest/v1/agents', { method: 'POST', body: '{}' });
    expect(last().headers.has('Vital-Min-Version'), 'a change needs none').toBe(false);
    await a.fetch('/rest/v1/agents');
    expect(last().headers.get('Vital-Min-Version')).toBe('1.1.1.1.p2');
    await a.fetch('/rest/v1/rpc/get_tool_health_metrics', { method: 'POST', body: '{}' });
    expect(last().headers.get('Vital-Min-Version')).toBe('1.1.1.1.p2');
    await a.context();
    expect(last().headers.get('Vital-Min-Version')).toBe('1.1.1.1.p3');
  });

  test('a read that was asked for before a change does not make it forgotten', async () => {
    const { fetch, answer } = holding();
    const a = client();
    await a.context();
    const held = vi.fn(fetch);
    a.configure({ url, getToken: () => token, storage: null, fetch: held });
    const reading = a.fetch('/rest/v1/agents');
    await vi.waitFor(() => expect(held).toHaveBeenCalled());
    a.configure({ url, getToken: () => token, storage: null, fetch: vital.fetch });
    await a.fetch('/rest/v1/agents', { method: 'POST', body: '{}' });
    answer(new Response('[]', { headers: { 'Vital-Version': '0.0.0.0.old' } }));
    await reading;
    await a.fetch('/rest/v1/agents');
    expect(last().headers.get('Vital-Min-Version')).toBe('1.1.1.1.p2');
  });

  test('a server that has gone back in time is asked without one', async () => {
    const a = client();
    await a.context();
    vital.before = (asked) => (asked.headers.has('Vital-Min-Version') ? restError(412, 'version_not_reached') : undefined);
    expect((await a.fetch('/rest/v1/agents')).status).toBe(200);
    expect(vital.asked.map((asked) => asked.headers.has('Vital-Min-Version'))).toEqual([false, true, false]);
  });
});

describe('an answer', () => {
  test.each([400, 401, 403, 404, 409, 412, 500, 503])('of %i is returned, and nothing is repeated', async (status) => {
    vital.before = () => restError(status, 'PGRST000');
    const a = client();
    const before = a.snapshot();
    const response = await a.fetch('/rest/v1/agents');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code: 'PGRST000' });
    expect(vital.asked).toHaveLength(1);
    expect(a.snapshot(), 'it says nothing of the session').toBe(before);
  });

  test('is streamed', async () => {
    let more!: ReadableStreamDefaultController<Uint8Array>;
    vital.before = () => new Response(new ReadableStream({ start: (controller) => { more = controller; } }));
    const reader = (await client().fetch('/rest/v1/agents')).body!.getReader();
    more.enqueue(new Uint8Array([1]));
    expect(await reader.read()).toEqual({ done: false, value: new Uint8Array([1]) });
    more.close();
    expect(await reader.read()).toMatchObject({ done: true });
  });

  test('that never begins ends a read in time, and a change does not', async () => {
    vi.useFakeTimers();
    const { fetch } = holding();
    const a = client({ fetch, timeout: 5_000 });
    const reading = caught(a.fetch('/rest/v1/agents'));
    const changed = vi.fn();
    a.fetch('/rest/v1/agents', { method: 'POST', body: '{}' }).then(changed, changed);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reading).toMatchObject({ code: 'timeout', name: 'VitalError' });
    expect(changed).not.toHaveBeenCalled();
  });

  test('that cannot be had is an error that says so', async () => {
    vital.before = () => { throw new TypeError('fetch failed'); };
    expect(await caught(client().fetch('/rest/v1/agents'))).toMatchObject({ code: 'network', name: 'VitalError' });
  });
});

describe('leaving', () => {
  test('the tenant aborts what is in flight', async () => {
    const a = client({ fetch: holding().fetch });
    await a.context();
    const reading = caught(a.fetch('/rest/v1/agents'));
    await Promise.resolve();
    await a.switchTenant('b');
    expect(await reading).toMatchObject({ code: 'tenant_switched', name: 'AbortError' });
    expect(await reading).toBeInstanceOf(VitalError);
  });

  test('the tenant ends a body that is being read', async () => {
    const a = client();
    await a.context();
    let signal!: AbortSignal;
    vital.before = (asked) => { if (asked.path.startsWith('/rest/')) ({ signal } = asked); return undefined; };
    await a.fetch('/rest/v1/agents');
    expect(signal.aborted).toBe(false);
    await a.switchTenant('b');
    expect(signal.reason).toMatchObject({ code: 'tenant_switched' });
  });

  test('the session aborts what is in flight', async () => {
    let tell!: (token: string | null) => void;
    const a = client({ fetch: holding().fetch, onSession: (listener) => { tell = listener; return () => {}; } });
    await a.context();
    const reading = caught(a.fetch('/rest/v1/agents'));
    await Promise.resolve();
    tell(token = null);
    expect(await reading).toMatchObject({ code: 'token_missing', name: 'AbortError' });
  });

  test('is the caller\'s to do, too', async () => {
    const giving = new AbortController();
    const reading = caught(client({ fetch: holding().fetch }).fetch('/rest/v1/agents', { signal: giving.signal }));
    giving.abort();
    expect((await reading).name).toBe('AbortError');
  });

  test('a query that failed in one tenant is not repeated in another', async () => {
    vi.useFakeTimers();
    const a = client();
    await a.context();
    const rest = new PostgrestClient(`${a.url}/rest/v1`, { fetch: a.fetch });
    vital.before = (asked) => (asked.path.startsWith('/rest/') ? restError(503, 'pool_exhausted') : undefined);
    const reading = rest.from('agents').select().then((result) => result);
    await vi.advanceTimersByTimeAsync(1);
    vital.before = () => undefined;
    await a.switchTenant('b');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reading).toMatchObject({ data: null, error: { message: expect.stringContaining('The tenant was left') } });
    expect(vital.count('/rest/v1/agents')).toBe(1);
  });

  test('a query that failed is repeated where it failed', async () => {
    vi.useFakeTimers();
    const a = client();
    let failures = 0;
    vital.before = () => { if (failures++ === 0) throw new TypeError('fetch failed'); return failures === 2 ? restError(503, 'pool_exhausted') : undefined; };
    const reading = new PostgrestClient(`${a.url}/rest/v1`, { fetch: a.fetch }).from('agents').select().then((result) => result);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reading).toMatchObject({ data: [{ tenant: 'a' }], error: null });
  });
});

describe('a token', () => {
  test('that expires on its way is followed by the next, once', async () => {
    vital.before = () => { token = tokenOf('ada', '2'); vital.before = () => undefined; return restError(401, 'token_expired'); };
    expect((await client().fetch('/rest/v1/agents')).status).toBe(200);
    expect(last().headers.get('Authorization')).toBe(`Bearer ${token}`);
    vital.before = () => restError(401, 'token_expired');
    expect((await client().fetch('/rest/v1/agents')).status).toBe(401);
  });

  test('is not followed where the body is gone', async () => {
    vital.before = () => { token = tokenOf('ada', '2'); return restError(401, 'token_expired'); };
    const body = new ReadableStream({ start: (controller) => { controller.close(); } });
    expect((await client().fetch('/rest/v1/agents', { method: 'POST', body, duplex: 'half' } as RequestInit)).status).toBe(401);
    expect(vital.asked).toHaveLength(1);
  });

  test('that the server refuses ends the session here, and the answer can be read', async () => {
    const a = client();
    await a.context();
    const left = vi.fn();
    a.subscribe(left);
    vital.revoked.add(token!);
    const response = await a.fetch('/rest/v1/agents');
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'session_revoked' });
    expect(left).toHaveBeenCalledTimes(1);
    expect(a.tenants).toEqual([]);
  });

  test('is not what another 401 is about', async () => {
    const a = client();
    await a.context();
    const before = a.snapshot();
    vital.before = () => restError(401, 'wrong_pin');
    await a.fetch('/rest/v1/rpc/enter', { method: 'POST', body: '{}' });
    expect(a.snapshot()).toBe(before);
  });
});

test('a tenant that is suspended is left, and the answer can be read', async () => {
  const a = client();
  await a.context();
  const before = a.snapshot();
  vital.before = () => problem(403, 'tenant_suspended');
  await a.fetch('/rest/v1/agents', { headers: { 'Vital-Tenant': 'b' } });
  expect(a.snapshot(), 'another is not this one').toBe(before);
  expect(await (await a.fetch('/rest/v1/agents')).json()).toMatchObject({ code: 'tenant_suspended' });
  expect(a.snapshot()).not.toBe(before);
});
