import type { TenantContext, Evaluation, Tenant } from '../src/index.js';

/** What the fake was asked. */
export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: unknown;
  signal: AbortSignal;
}

type Answering = (asked: Asked) => Response | Promise<Response> | undefined;

/** A token of a user, as far as a client reads one. */
export const tokenOf = (user: string, session = '1') => `h.${btoa(JSON.stringify({ sub: user, session_id: session }))}.s`;

/** An answer as VITAL gives errors. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = { type: `urn:vital:error:${code}`, title: `It is ${code}.`, status, code, hint: `Mend ${code}.`, request_id: 'r1' };
  return new Response(JSON.stringify(body), { status, headers: { 'X-Request-Id': 'r1', ...headers } });
}

/** A VITAL in memory with the tenants A and B, of which ada is in both and ben in A; its fetch is what clients are given. */
export class FakeVital {
  readonly asked: Asked[] = [];
  readonly colors: Record<string, string> = { a: '#AAAAAA', b: '#BBBBBB' };
  readonly flags: Record<string, Evaluation> = { beta: { key: 'beta', value: false, variant: 'off', reason: 'STATIC' }, size: { key: 'size', value: 10, variant: 'small', reason: 'STATIC' }, off: { key: 'off', reason: 'DISABLED' } };
  readonly members: Record<string, string[]> = { ada: ['a', 'b'], ben: ['a'] };
  readonly suspended = new Set<string>();
  readonly revoked = new Set<string>();
  /** Answers in place of the fake, where it returns something. */
  before: Answering = () => undefined;
  default = 'a';
  #version = 1;
  readonly #streams = new Set<{ tenant: string; token: string; controller: ReadableStreamDefaultController<Uint8Array> }>();

  readonly fetch: typeof fetch = async (input, given) => {
    const init: RequestInit = input instanceof Request ? input : given ?? {};
    const { pathname } = new URL(input instanceof Request ? input.url : String(input));
    const asked: Asked = {
      method: init.method ?? 'GET', path: pathname, headers: new Headers(init.headers), signal: init.signal!,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    };
    this.asked.push(asked);
    asked.signal.throwIfAborted();
    const answer = await this.before(asked) ?? this.#answer(asked);
    asked.signal.throwIfAborted();
    return answer;
  };

  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Makes a change, and tells of it. */
  change(make: () => void): void {
    make();
    this.#version++;
    for (const stream of this.#streams) this.#send(stream.controller);
  }

  /** Ends all streams, as a server that stops. */
  hangUp(): void {
    for (const stream of this.#streams) {
      this.#streams.delete(stream);
      stream.controller.close();
    }
  }

  #answer(asked: Asked): Response {
    const token = asked.headers.get('Authorization')!.slice('Bearer '.length);
    if (this.revoked.has(token)) return problem(401, 'session_revoked');
    const user = JSON.parse(atob(token.split('.')[1]!)).sub as string;
    const inPath = /^\/api\/tenants\/([^/]+)\//.exec(asked.path)?.[1];
    const named = (inPath ?? asked.headers.get('Vital-Tenant') ?? this.default).replace(/^id-/, '');
    if (!this.members[user]?.includes(named)) return problem(404, 'tenant_not_found');
    if (this.suspended.has(named)) return problem(403, 'tenant_suspended');
    if (asked.path.startsWith('/rest/v1/')) return this.#rows(asked, named);
    if (asked.path === '/v1/context/events') return this.#stream(named, token, asked.signal);
    if (asked.path === '/v1/context') return this.#revalidated(asked, `"${named}${user}${this.#version}"`, this.#context(user, named));
    if (asked.path === '/ofrep/v1/evaluate/flags') return this.#revalidated(asked, `"f${named}${this.#version}"`, { flags: Object.values(this.flags) });
    const color = asked.method === 'PATCH' && (asked.body as { ui_config?: { primary_color?: string } }).ui_config?.primary_color;
    if (color) this.change(() => { this.colors[named] = color; });
    return this.#json({ tenant_id: `id-${named}` });
  }

  #revalidated(asked: Asked, etag: string, body: unknown): Response {
    if (asked.headers.get('If-None-Match') === etag) return new Response(null, { status: 304, headers: { 'Vital-Version': this.#stamp() } });
    return this.#json(body, { ETag: etag });
  }

  #json(body: unknown, headers: Record<string, string> = {}): Response {
    return new Response(JSON.stringify(body), { headers: { 'Vital-Version': this.#stamp(), ...headers } });
  }

  /** As for rows: a position alone, of writes and for who asks for one. */
  #rows(asked: Asked, tenant: string): Response {
    if (asked.method !== 'GET') this.#version++;
    const versioned = asked.method !== 'GET' || asked.headers.has('Vital-Min-Version');
    return new Response(JSON.stringify([{ tenant }]), { headers: { 'Content-Type': 'application/json', ...(versioned && { 'Vital-Version': `0.0.0.0.p${this.#version}` }) } });
  }

  #stamp(): string {
    return `1.${this.#version}.1.1.p${this.#version}`;
  }

  #stream(tenant: string, token: string, signal: AbortSignal): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const stream = { tenant, token, controller };
        this.#streams.add(stream);
        signal.addEventListener('abort', () => { if (this.#streams.delete(stream)) controller.error(signal.reason); });
        this.#send(controller, 'retry: 10\n');
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }

  #send(controller: ReadableStreamDefaultController<Uint8Array>, before = ''): void {
    const version = `1.${this.#version}.1.1`;
    controller.enqueue(new TextEncoder().encode(`${before}id: ${version}-x\nevent: context\ndata: {"version":"${version}"}\n\n`));
  }

  #context(user: string, slug: string): TenantContext {
    const tenant = (name: string): Tenant => ({ id: `id-${name}`, slug: name, name: `Tenant ${name}`, tenant_type: 'pharma', lifecycle_state: 'active', role: user === 'ada' ? 'admin' : 'member' });
    return {
      user: { id: user, email: `${user}@example.test`, full_name: user, role: 'user' },
      organization: { ...tenant(slug), tenant_key: slug, is_active: true, subscription_tier: 'pro', parent_organization_id: null },
      membership: { role: user === 'ada' ? 'admin' : 'member', joined_at: '2026-01-01T00:00:00Z' },
      tenants: this.members[user]!.map(tenant),
      config: {
        ui_config: { primary_color: this.colors[slug] }, enabled_features: [], enabled_apps: ['chat', 'agents'], enabled_agent_tiers: [1], limits: {}, compliance_settings: {}, features: [],
        apps: ['chat', 'agents', 'knowledge'].map((key, i) => ({ app_key: key, app_name: key, app_route: `/${key}`, app_icon: null, is_enabled: key !== 'agents', display_order: i })),
      },
      version: `1.${this.#version}.1.1`,
    };
  }
}

/** A tab's storage. */
export function tabStorage(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() { return kept.size; }, clear: () => kept.clear(), key: (i) => [...kept.keys()][i] ?? null,
    getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => { kept.set(key, value); }, removeItem: (key) => { kept.delete(key); },
  };
}

/** Waits until look returns something. */
export async function until<T>(look: () => T | undefined | false | null, what: string, milliseconds = 10_000): Promise<T> {
  for (const end = Date.now() + milliseconds; ;) {
    const seen = look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`It never came true: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}
