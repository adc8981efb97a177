import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createVitalClient, fromSupabase, VitalClient, VitalError, type VitalClientOptions } from '../src/index.js';
import { FakeVital, problem, tabStorage, tokenOf, type Asked } from './fake.js';

const url = 'http://vital.test';
let vital: FakeVital;
let token: string | null;

beforeEach(() => {
  vital = new FakeVital();
  token = tokenOf('ada');
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const client = (options: Partial<VitalClientOptions> = {}) => new VitalClient({ url, getToken: () => token, fetch: vital.fetch, storage: tabStorage(), ...options });
const asked = (path: string): Asked[] => vital.asked.filter((each) => each.path === path);
const caught = (promise: Promise<unknown>): Promise<VitalError> => promise.then(() => { throw new Error('it went well'); }, (error: VitalError) => error);

/** Answers path once with each of answers, then as always. */
function answering(path: string, ...answers: (() => Response | Promise<Response>)[]): void {
  vital.before = (each) => (each.path === path ? answers.shift()?.() : undefined);
}

describe('a context', () => {
  test('is sent again only when it is another', async () => {
    const a = client();
    const first = await a.context();
    expect(first.organization.slug).toBe('a');
    expect(await a.context()).toBe(first);
    expect(asked('/v1/context').map((each) => each.headers.get('If-None-Match'))).toEqual([null, '"aada1"']);
    vital.change(() => { vital.colors.a = '#000000'; });
    expect((await a.context()).config.ui_config.primary_color).toBe('#000000');
  });

  test('is read for the caller of the token, past any cache of the browser', async () => {
    const fetched = vi.fn(vital.fetch);
    await client({ fetch: fetched }).context();
    expect(fetched.mock.calls[0]![1]).toMatchObject({ cache: 'no-store', headers: { Authorization: `Bearer ${token}` } });
  });

  test('stays in its tenant, though the default becomes another', async () => {
    const a = client();
    await a.context();
    vital.default = 'b';
    expect((await a.context()).organization.slug).toBe('a');
    expect(asked('/v1/context')[1]!.headers.get('Vital-Tenant')).toBe('id-a');
  });

  test('of a tenant that is refused is an error, and no other tenant', async () => {
    const ben = client({ getToken: () => tokenOf('ben'), tenant: 'b' });
    expect(await caught(ben.context())).toMatchObject({ code: 'tenant_not_found', status: 404, hint: 'Mend tenant_not_found.', requestId: 'r1' });
    expect(asked('/v1/context')).toHaveLength(1);
  });

  test('of another tenant leaves this client where it is', async () => {
    const a = client();
    await a.context();
    expect((await a.context({ tenant: 'b' })).organization.slug).toBe('b');
    expect(a.tenant).toBe('id-a');
  });
});

describe('versions', () => {
  test('what was written is in the next read', async () => {
    const a = client();
    await a.context();
    const { version } = await a.config.update({ ui_config: { primary_color: '#123456' } });
    await a.context();
    expect(asked('/v1/context')[1]!.headers.get('Vital-Min-Version')).toBe(version);
  });

  test('what was written under the slug is in reads by the id', async () => {
    const a = client();
    const { version } = await a.config.update({}, { tenant: 'b' });
    await a.context({ tenant: 'a' });
    await a.context({ tenant: 'id-b' });
    expect(asked('/v1/context').at(-1)!.headers.get('Vital-Min-Version')).toBe(version);
  });

  test('one tenant asks for nothing of another', async () => {
    const a = client();
    await a.context();
    await a.context({ tenant: 'b' });
    expect(asked('/v1/context')[1]!.headers.get('Vital-Min-Version')).toBeNull();
  });

  test('a server that has gone back in time is asked without one', async () => {
    const a = client();
    await a.context();
    answering('/v1/context', () => problem(412, 'version_not_reached'));
    await a.context();
    expect(asked('/v1/context').map((each) => each.headers.has('Vital-Min-Version'))).toEqual([false, true, false]);
  });
});

describe('tries again', () => {
  beforeEach(() => { vi.useFakeTimers(); });

  test('a read that may go well another time, with growing pauses', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    answering('/v1/context', () => problem(503, 'database_unavailable'), () => { throw new TypeError('fetch failed'); }, () => new Response('<html>', { status: 502 }));
    const read = client().context();
    await vi.advanceTimersByTimeAsync(200 + 400 + 799);
    expect(asked('/v1/context')).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect((await read).organization.slug).toBe('a');
  });

  test('no longer than four times, and no fault of the request', async () => {
    vital.before = () => problem(503, 'pool_exhausted');
    const failing = caught(client().context());
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await failing).code).toBe('pool_exhausted');
    expect(vital.asked).toHaveLength(4);
    vital.before = () => problem(422, 'invalid');
    expect((await caught(client().context())).code).toBe('invalid');
    expect(vital.asked).toHaveLength(5);
  });

  test('when the server says, and not at all where that is long', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    answering('/v1/context', () => problem(503, 'pool_exhausted', { 'Retry-After': '7' }), () => problem(429, 'over_request_rate_limit', { 'Retry-After': '31' }));
    const failing = caught(client().context());
    await vi.advanceTimersByTimeAsync(6_999);
    expect(vital.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failing).toMatchObject({ code: 'over_request_rate_limit', retryAfter: 31 });
  });

  test('a change under one idempotency key', async () => {
    const a = client({ tenant: 'a' });
    answering('/api/tenants/a/features/toggle', () => { throw new TypeError('fetch failed'); });
    const toggling = a.features.toggle('beta', true, { reason: 'pilot' });
    await vi.advanceTimersByTimeAsync(1_000);
    await toggling;
    const [first, second] = vital.asked;
    expect(first!.headers.get('Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/);
    expect(second!.headers.get('Idempotency-Key')).toBe(first!.headers.get('Idempotency-Key'));
    expect(second!.body).toEqual({ flag_key: 'beta', enabled: true, reason: 'pilot' });
  });

  test('not once the caller has given up', async () => {
    vital.before = () => problem(503, 'pool_exhausted');
    const giving = new AbortController();
    const failing = caught(client().context({ signal: giving.signal }));
    await vi.advanceTimersByTimeAsync(1);
    giving.abort();
    expect((await failing).name).toBe('AbortError');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vital.asked.length).toBeLessThanOrEqual(2);
  });

  test('a request that is never answered', async () => {
    answering('/v1/context', () => new Promise<Response>(() => {}));
    // A fetch that is aborted rejects; the fake's does only when it answers.
    const patient: typeof fetch = (input, init) => Promise.race([vital.fetch(input, init), new Promise<never>((_, reject) => { init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)); })]);
    const read = client({ fetch: patient, timeout: 5_000 }).context();
    await vi.advanceTimersByTimeAsync(6_000);
    expect((await read).organization.slug).toBe('a');
  });
});

describe('a change', () => {
  test('says why in bytes that a header can hold', async () => {
    await client({ tenant: 'a' }).config.update({}, { reason: 'Ärzte wünschen\nes', ifMatch: '"e"' });
    const { headers } = vital.asked[0]!;
    expect(new TextDecoder().decode(Uint8Array.from(headers.get('Vital-Reason')!, (c) => c.charCodeAt(0)))).toBe('Ärzte wünschen es');
    expect(headers.get('If-Match')).toBe('"e"');
  });

  test('names each place that is wrong', async () => {
    const errors = [{ path: '/limits/max_agents', message: 'must be at least 0' }];
    vital.before = () => new Response(JSON.stringify({ title: 'Wrong.', code: 'invalid', hint: 'Mend it.', errors }), { status: 422 });
    expect((await caught(client({ tenant: 'a' }).config.update({ limits: { max_agents: -1 } }))).errors).toEqual(errors);
  });

  test('is for the tenant of the context where none is named', async () => {
    await client().agents.assign('agent-1', { agentTenant: 'platform' });
    expect(vital.asked.at(-1)).toMatchObject({ path: '/api/tenants/id-a/agents/assign', body: { agent_id: 'agent-1', agent_tenant_id: 'platform' } });
  });

  test('is heard of by who listens here, where it changed something', async () => {
    const a = client();
    await a.context();
    vital.before = (each) => (each.path === '/v1/context/events' ? new Promise<Response>(() => {}) : undefined); // a stream that tells nothing
    const heard: unknown[] = [];
    onTestFinished(a.onChange((change) => heard.push(change)));
    const { version } = await a.config.update({ ui_config: { primary_color: '#123456' } });
    expect(heard).toEqual([{ version }]);
    await a.config.get();
    await a.config.update({ ui_config: { primary_color: '#123456' } }, { tenant: 'b' });
    expect(heard).toHaveLength(1);
  });
});

describe('flags', () => {
  test('are worth what OFREP says, or the fallback where they have no value of its type', async () => {
    const { features } = client();
    expect(await features.get('beta', true)).toBe(false);
    expect(await features.get('size', 1)).toBe(10);
    expect(await features.get('size', 'medium')).toBe('medium');
    expect(await features.get('off', true)).toBe(true);
    expect(await features.get('unknown', { a: 1 })).toEqual({ a: 1 });
    expect(asked('/ofrep/v1/evaluate/flags').map((each) => each.headers.has('If-None-Match'))).toEqual([false, true, true, true, true]);
  });

  test('that cannot be had are an error, and no fallback', async () => {
    vital.before = () => new Response(JSON.stringify({ errorCode: 'GENERAL', errorDetails: 'It is suspended.', code: 'tenant_suspended', hint: 'Wait.' }), { status: 403 });
    expect(await caught(client().features.get('beta', true))).toMatchObject({ code: 'tenant_suspended', message: 'It is suspended.', hint: 'Wait.' });
  });

  test('that are only looked at are not counted, nor is their answer what is used', async () => {
    const { features } = client();
    const looked = await features.all({ counted: false });
    expect(await features.get('size', 1, { counted: false })).toBe(10);
    expect(await features.all()).toEqual(looked);
    await features.all({ counted: true });
    await features.all({ counted: false });
    const requests = asked('/ofrep/v1/evaluate/flags');
    expect(requests.map(({ headers }) => headers.get('Vital-Purpose'))).toEqual(['preview', 'preview', null, null, 'preview']);
    expect(requests.map(({ headers }) => headers.has('If-None-Match'))).toEqual([false, true, false, true, true]);
    expect(requests.map(({ body }) => body)).toEqual(Array(5).fill({ context: {} }));
  });

  test('are kept for each set of attributes', async () => {
    const { features } = client();
    await features.all({ context: { plan: 'a' } });
    await features.all({ context: { plan: 'b' } });
    expect(asked('/ofrep/v1/evaluate/flags')[1]!.headers.has('If-None-Match')).toBe(false);
  });
});

describe('switching the tenant', () => {
  test('aborts what is in flight, and forgets what was remembered', async () => {
    const a = client();
    await a.context();
    let hanging: Asked | undefined;
    vital.before = (each) => (hanging ? undefined : (hanging = each, new Promise<Response>((_, reject) => { each.signal.addEventListener('abort', () => reject(each.signal.reason)); })));
    const flags = caught(a.features.all());
    await vi.waitFor(() => expect(hanging).toBeDefined());
    expect((await a.switchTenant('b')).organization.slug).toBe('b');
    expect(await flags).toMatchObject({ code: 'tenant_switched' });
    await a.switchTenant('a');
    expect(asked('/v1/context').map((each) => each.headers.get('If-None-Match'))).toEqual([null, null, null]);
  });

  test('throws away what comes late all the same', async () => {
    const a = client();
    await a.context();
    let answer!: (response: Response) => void;
    const late = vital.fetch;
    // A fetch that knows no signals.
    a.configure({ url, getToken: () => token, storage: null, fetch: (input, init) => (String(input).includes('ofrep') ? new Promise((resolve) => { answer = resolve; }) : late(input, init)) });
    const flags = caught(a.features.all());
    await vi.waitFor(() => expect(answer).toBeDefined());
    await a.switchTenant('b');
    answer(new Response('{"flags":[{"key":"beta","value":true}]}', { headers: { ETag: '"late"' } }));
    expect(await flags).toMatchObject({ code: 'tenant_switched' });
  });

  test('that is refused leaves this client there, with an error', async () => {
    const ben = client({ getToken: () => tokenOf('ben') });
    await ben.context();
    expect(await caught(ben.switchTenant('b'))).toMatchObject({ code: 'tenant_not_found' });
    expect(ben.tenant).toBe('b');
    expect(await caught(ben.context())).toMatchObject({ code: 'tenant_not_found' });
    expect((await ben.switchTenant(null)).organization.slug).toBe('a');
  });

  test('into the one it is in reads, and leaves nothing', async () => {
    const a = client();
    await a.context();
    const before = a.snapshot();
    await a.switchTenant('a');
    expect(a.snapshot()).toBe(before);
  });

  test('is this tab\'s alone, and lasts over a reload', async () => {
    const [one, other] = [tabStorage(), tabStorage()];
    const [a, b] = [client({ storage: one }), client({ storage: other })];
    await Promise.all([a.context(), b.context()]);
    await b.switchTenant('b');
    expect((await a.context()).organization.slug).toBe('a');
    expect((await client({ storage: other }).context()).organization.slug).toBe('b');
    expect((await client({ storage: one }).context()).organization.slug).toBe('a');
    expect([one.length, other.length]).toEqual([1, 1]);
    expect(one.getItem(one.key(0)!)).not.toContain('b"');
  });
});

describe('the session', () => {
  test('of another user leaves all of the former', async () => {
    const storage = tabStorage();
    const a = client({ storage });
    await a.switchTenant('b');
    token = tokenOf('ben');
    expect(await caught(a.features.all())).toMatchObject({ code: 'session_changed' });
    expect((await a.context()).user.id).toBe('ben');
    expect(asked('/v1/context').at(-1)!.headers.has('Vital-Tenant')).toBe(false);
    expect(asked('/v1/context').at(-1)!.headers.has('If-None-Match')).toBe(false);
    expect(storage.getItem(storage.key(0)!)).toBe(JSON.stringify({ user: 'ben', tenant: 'id-a' }));
  });

  test('a change that one user asked for is not made as another', async () => {
    const a = client({ tenant: 'a', getToken: async () => { await Promise.resolve(); return token; } });
    await a.context();
    const updating = caught(a.config.update({}));
    token = tokenOf('ben'); // between the call and its request
    expect(await updating).toMatchObject({ code: 'session_changed' });
    expect(vital.asked.filter((each) => each.method === 'PATCH')).toEqual([]);
  });

  test('that is over asks nothing, and keeps nothing', async () => {
    const storage = tabStorage();
    const a = client({ storage });
    await a.context();
    token = null;
    expect(await caught(a.context())).toMatchObject({ code: 'token_missing', status: 401 });
    expect(storage.length).toBe(0);
    expect(vital.asked).toHaveLength(1);
  });

  test('begins where nobody was signed in', async () => {
    token = null;
    const a = client();
    expect(await caught(a.context())).toMatchObject({ code: 'token_missing' });
    token = tokenOf('ada');
    expect((await a.context()).user.id).toBe('ada');
  });

  test('whose token expires on its way goes on with the next', async () => {
    answering('/v1/context', () => { token = tokenOf('ada', '2'); return problem(401, 'token_expired'); });
    expect((await client().context()).user.id).toBe('ada');
    answering('/v1/context', () => problem(401, 'token_expired'));
    expect((await caught(client().context())).code).toBe('token_expired');
  });

  test('that the server ends leaves all of it; the same user may sign in again', async () => {
    const a = client();
    await a.switchTenant('b');
    const changes = vi.fn();
    a.subscribe(changes);
    vital.revoked.add(token!);
    expect((await caught(a.context())).code).toBe('session_revoked');
    expect(changes).toHaveBeenCalledTimes(1);
    expect((await caught(a.context())).code).toBe('session_revoked');
    expect(changes, 'once').toHaveBeenCalledTimes(1);
    token = tokenOf('ada', '2');
    expect((await a.context()).organization.slug).toBe('b');
    expect(changes).toHaveBeenCalledTimes(2);
  });

  test('that cannot be refreshed now is no sign-out', async () => {
    const a = client();
    await a.context();
    const before = a.snapshot();
    a.configure({ url, storage: null, fetch: vital.fetch, getToken: () => { throw new TypeError('offline'); } });
    expect((await caught(a.context())).code).toBe('token_unavailable');
    expect(a.snapshot()).toBe(before);
  });

  test('membership that ends leaves all of the tenant', async () => {
    const a = client();
    await a.context();
    const before = a.snapshot();
    vital.suspended.add('a');
    expect((await caught(a.context())).code).toBe('tenant_suspended');
    expect(a.snapshot()).not.toBe(before);
    expect(a.tenants.map(({ slug }) => slug)).toEqual(['a', 'b']);
    expect((await a.switchTenant('b')).organization.slug).toBe('b');
  });

  test('comes from supabase-js, with its signing in and out', async () => {
    let tell!: (event: string, session: { access_token: string } | null) => void;
    const unsubscribe = vi.fn();
    const session = (): { access_token: string } | null => token === null ? null : { access_token: token };
    const supabase = { auth: {
      getSession: async () => ({ data: { session: session() }, error: null as unknown }),
      onAuthStateChange: (callback: typeof tell) => { tell = callback; return { data: { subscription: { unsubscribe } } }; },
    } };
    const a = client({ ...fromSupabase(supabase) });
    const left = vi.fn();
    a.subscribe(left);
    await a.context();
    tell('TOKEN_REFRESHED', { access_token: tokenOf('ada', '2') });
    tell('SIGNED_IN', session());
    expect(left, 'the same user').not.toHaveBeenCalled();
    tell('SIGNED_OUT', null);
    expect(left).toHaveBeenCalledTimes(1);
    token = null; // what another tab has signed in is not in this one's storage yet
    tell('SIGNED_IN', { access_token: tokenOf('ben') });
    expect((await a.context()).user.id).toBe('ben');
    tell('SIGNED_OUT', null);
    expect((await caught(a.context())).code).toBe('token_missing');
    token = tokenOf('ada');
    a.configure({ url, getToken: () => token });
    expect(unsubscribe).toHaveBeenCalledTimes(1);
    supabase.auth.getSession = async () => ({ data: { session: null }, error: new Error('offline') });
    expect((await caught(client(fromSupabase(supabase)).context())).code).toBe('token_unavailable');
  });
});

describe('a page', () => {
  test('has one client for a server, and the newest options hold', async () => {
    vi.stubGlobal('window', {});
    const first = createVitalClient({ url: `${url}/`, getToken: () => null, fetch: vital.fetch, storage: null });
    const second = createVitalClient({ url, getToken: () => token, fetch: vital.fetch, storage: null });
    expect(second).toBe(first);
    expect((await first.context()).user.id).toBe('ada');
    expect(createVitalClient({ url: 'http://other.test', getToken: () => token })).not.toBe(first);
  });

  test('a server has one for each of its users', () => {
    expect(createVitalClient({ url, getToken: () => token })).not.toBe(createVitalClient({ url, getToken: () => token }));
  });

  test('may be forbidden to keep anything', async () => {
    vi.stubGlobal('window', { get sessionStorage() { throw new DOMException('denied', 'SecurityError'); } });
    expect((await new VitalClient({ url, getToken: () => token, fetch: vital.fetch }).context()).user.id).toBe('ada');
  });
});
