import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VitalClient, type Change, type ContextEvent, type VitalClientOptions } from '../src/index.js';
import { messages, type Message } from '../src/sse.js';
import { latest } from '../src/version.js';
import { FakeVital, problem, tokenOf, until } from './fake.js';

let vital: FakeVital;
let token: string | null;
const listening: AbortController[] = [];

beforeEach(() => {
  vital = new FakeVital();
  token = tokenOf('ada');
});

afterEach(() => {
  for (const each of listening.splice(0)) each.abort();
  vi.unstubAllGlobals();
});

const client = (options: Partial<VitalClientOptions> = {}) => new VitalClient({ url: 'http://vital.test', getToken: () => token, fetch: vital.fetch, storage: null, ...options });

/** Listens in the background. */
function listen(a: VitalClient, options: { lastEventId?: string } = {}): { heard: ContextEvent[]; ended: Promise<unknown>; stop: () => void } {
  const controller = new AbortController();
  listening.push(controller);
  const heard: ContextEvent[] = [];
  const ended = (async () => {
    for await (const event of a.events({ signal: controller.signal, ...options })) heard.push(event);
  })().catch((error: unknown) => error);
  return { heard, ended, stop: () => controller.abort() };
}

const opened = () => vital.asked.filter((each) => each.path === '/v1/context/events');

describe('a stream', () => {
  test('tells of each change, and comes back where it ended', async () => {
    const { heard } = listen(client());
    await until(() => heard.length === 1, 'the beginning');
    vital.change(() => {});
    await until(() => heard.length === 2, 'a change');
    expect(heard[1]).toEqual({ id: '1.2.1.1-x', version: '1.2.1.1' });
    vital.hangUp();
    await until(() => opened().length === 2, 'another connection');
    expect(opened().map((each) => each.headers.get('Last-Event-ID'))).toEqual([null, '1.2.1.1-x']);
    expect(opened()[0]!.headers.get('Accept')).toBe('text/event-stream');
  });

  test('begins where it is told', async () => {
    listen(client(), { lastEventId: '1.1.1.1-x' });
    await until(() => opened().length === 1, 'a connection');
    expect(opened()[0]!.headers.get('Last-Event-ID')).toBe('1.1.1.1-x');
  });

  test('that is silent for too long is opened anew', async () => {
    listen(client({ heartbeat: 30 }));
    await until(() => opened().length >= 3, 'other connections');
    expect(vital.streams).toBeLessThanOrEqual(1);
  });

  test('is tried again while the server is away, with the token of now', async () => {
    let refusals = 2;
    vital.before = () => (refusals-- > 0 ? problem(503, 'pool_exhausted') : undefined);
    vi.spyOn(Math, 'random').mockReturnValue(0.01);
    const { heard } = listen(client());
    await until(() => opened().length === 2, 'another try');
    token = tokenOf('ada', '2');
    await until(() => heard.length === 1, 'the beginning');
    expect(opened().map((each) => each.headers.get('Authorization'))).toEqual([1, 1, 2].map((session) => `Bearer ${tokenOf('ada', String(session))}`));
    vi.restoreAllMocks();
  });

  test('ends when the user may hear no more, and says why', async () => {
    const { heard, ended } = listen(client());
    await until(() => heard.length === 1, 'the beginning');
    vital.revoked.add(token!);
    vital.hangUp();
    expect(await ended).toMatchObject({ code: 'session_revoked', status: 401 });
  });

  test('ends with its tenant, and with who listens', async () => {
    const a = client();
    const first = listen(a);
    await until(() => first.heard.length === 1, 'the beginning');
    await a.switchTenant('b');
    expect(await first.ended).toMatchObject({ code: 'tenant_switched' });
    expect(vital.streams).toBe(0);
    const second = listen(a);
    await until(() => second.heard.length === 1, 'the beginning');
    expect(opened()[1]!.headers.get('Vital-Tenant')).toBe('id-b');
    second.stop();
    expect(await second.ended).toMatchObject({ name: 'AbortError' });
    expect(vital.streams).toBe(0);
  });

  test('closes when nobody goes on reading', async () => {
    for await (const event of client().events()) {
      expect(event.version).toBe('1.1.1.1');
      break;
    }
    await until(() => vital.streams === 0, 'the connection is closed');
  });
});

describe('where fetch does not stream', () => {
  class FakeEventSource extends EventTarget {
    static readonly CLOSED = 2;
    static all: FakeEventSource[] = [];
    readyState = 1;
    constructor(readonly url: string) {
      super();
      FakeEventSource.all.push(this);
    }
    tell(id: string): void {
      this.dispatchEvent(Object.assign(new Event('context'), { data: JSON.stringify({ version: id.split('-')[0] }), lastEventId: id }));
    }
    refuse(): void {
      this.readyState = FakeEventSource.CLOSED;
      this.dispatchEvent(new Event('error'));
    }
    close(): void { this.readyState = FakeEventSource.CLOSED; }
  }

  beforeEach(() => {
    FakeEventSource.all = [];
    vi.stubGlobal('TextDecoderStream', undefined);
    vi.stubGlobal('EventSource', FakeEventSource);
    vital.before = (each) => (each.method === 'POST' && each.path === '/v1/context/events'
      ? new Response(JSON.stringify({ url: '/v1/context/events?token=t&since=1.9.1.1-x', expires_at: '' })) : undefined);
  });

  test('an EventSource opens the address of the stream, anew when it is refused', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { heard, stop } = listen(client({ tenant: 'b' }));
    const first = await until(() => FakeEventSource.all[0], 'a stream');
    expect(first.url).toBe('http://vital.test/v1/context/events?token=t');
    expect(opened()[0]!.headers.get('Vital-Tenant')).toBe('b');
    first.tell('1.3.1.1-x');
    first.tell('1.4.1.1-x');
    await until(() => heard.length === 2, 'two changes');
    first.refuse();
    const second = await until(() => FakeEventSource.all[1], 'another stream');
    expect(second.url, 'from what is known, not from now').toContain('since=1.4.1.1-x');
    stop();
    await until(() => second.readyState === FakeEventSource.CLOSED, 'it is closed');
    vi.restoreAllMocks();
  });

  test('and there is no EventSource either, it says so', async () => {
    vi.stubGlobal('EventSource', undefined);
    expect(await listen(client()).ended).toMatchObject({ code: 'streams_unsupported' });
  });
});

describe('listeners', () => {
  test('share one stream, which ends with the last of them', async () => {
    const a = client();
    await a.context();
    const heard: Change[] = [];
    const stops = [a.onChange((change) => heard.push(change)), a.onChange((change) => heard.push(change))];
    await until(() => heard.length === 2, 'the beginning, for both');
    expect(vital.streams).toBe(1);
    stops[0]!();
    vital.change(() => {});
    await until(() => heard.length === 3, 'a change, for one');
    await a.context();
    expect(vital.asked.at(-1)!.headers.get('Vital-Min-Version'), 'reads show what was told').toMatch(/^1\.2\.1\.1/);
    stops[1]!();
    await until(() => vital.streams === 0, 'no stream');
  });

  test('hear of the tenant that was switched to', async () => {
    const a = client();
    await a.context();
    const heard: Change[] = [];
    const stop = a.onChange((change) => heard.push(change));
    await until(() => heard.length === 1, 'the beginning');
    await a.switchTenant('b');
    await until(() => heard.length === 2, 'the beginning there');
    expect(opened().map((each) => each.headers.get('Vital-Tenant'))).toEqual(['id-a', 'b']);
    stop();
  });

  test('are told why a stream has ended, and begin another', async () => {
    const a = client();
    await a.context();
    const heard: Change[] = [];
    vital.before = (each) => (each.path === '/v1/context/events' ? problem(403, 'tenant_suspended') : undefined);
    const stop = a.onChange((change) => heard.push(change));
    await until(() => heard.length === 1, 'an end');
    expect(heard[0]).toMatchObject({ error: { code: 'tenant_suspended' } });
    vital.before = () => undefined;
    const another = a.onChange((change) => heard.push(change));
    await until(() => heard.length === 3, 'the beginning, for both');
    stop();
    another();
  });
});

describe('a stream\'s text', () => {
  const text = ':\r\n\r\nretry: 1000\nid: 1\n\nevent: context\r\ndata: {"a":\r\ndata:1}\r\nid: ü\r\n\r\n';
  const expected = [
    { event: 'message', data: '', id: undefined, retry: undefined },
    { event: 'message', data: '', id: '1', retry: 1000 },
    { event: 'context', data: '{"a":\n1}', id: 'ü', retry: undefined },
  ];

  test('means the same wherever it is cut', async () => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at <= bytes.length; at++) {
      const got: Message[] = [];
      let pieces = 0;
      const stream = new ReadableStream<Uint8Array>({ start(controller) { controller.enqueue(bytes.slice(0, at)); controller.enqueue(bytes.slice(at)); controller.close(); } });
      for await (const message of messages(stream, () => { pieces++; })) got.push(message);
      expect(got, `cut at ${at}`).toEqual(expected);
      expect(pieces).toBeGreaterThan(0);
    }
  });
});

describe('the later of two versions', () => {
  test.each([
    [undefined, '1.1.1.1.p', '1.1.1.1.p'],
    ['1.1.1.1.p', '1.2.1.1.q', '1.2.1.1.q'],
    ['1.2.1.1.q', '1.1.1.1.p', '1.2.1.1.q'],
    ['1.2.1.1.q', '1.3.1.1', '1.3.1.1.q'],
    ['2.1.1.1.p', '1.2.1.1.q', '2.2.1.1.q'],
    ['1.9.1.1.p', '1.10.1.1.q', '1.10.1.1.q'],
    ['1.2.1.1.p', '0.0.0.0.q', '1.2.1.1.q'],
    ['0.0.0.0.p', '1.2.1.1.q', '1.2.1.1.q'],
    ['0.0.0.0.p', '0.0.0.0.q', '0.0.0.0.q'],
  ])('%s, %s: %s', (known, next, expected) => {
    expect(latest(known, next)).toBe(expected);
  });
});
