import type { CallOptions, Core, WriteOptions, Written } from './core.js';
import { errorOf, VitalError } from './error.js';
import { follow, type ContextEvent } from './events.js';
import { Features } from './features.js';
import { Transport, type Answer, type Outgoing } from './http.js';
import { passIn, passing, refusesToken, rejection, type Passed, type Passing } from './passing.js';
import { linked, withRetries } from './retry.js';
import { leftTenant, otherUser, Scope, signedOut, TabTenant, userOf, type TabStorage } from './scope.js';
import type { Session } from './supabase.js';
import { Agents, Configurations, Lifecycle } from './tenants.js';
import type { TenantContext, Tenant } from './types.js';
import { isNews } from './version.js';

/** What a client is made with. */
export interface VitalClientOptions extends Session {
  /** Where the server is: `https://vital.example.com`. */
  url: string;
  /** The tenant to begin in, by id or slug, where the page knows: by its address, for one. Defaults to the one this tab was in, else the user's default. */
  tenant?: string;
  /** Defaults to the global fetch. */
  fetch?: typeof fetch;
  /** Keeps the tab's tenant over a reload; null keeps none. Defaults to sessionStorage, which no other tab sees. */
  storage?: TabStorage | null;
  /** Milliseconds for one attempt of a request. Defaults to 20000. */
  timeout?: number;
  /** Milliseconds without a sign of life after which a stream is opened anew; the server gives one every 15000. Defaults to 45000. */
  heartbeat?: number;
}

/** What {@link VitalClient.onChange} tells: there is something new, or why there will be no more. */
export type Change = { version: string | undefined; error?: undefined } | { error: unknown };

/** What was read, and where. */
interface Read {
  scope: Scope;
  named: string | undefined;
  value: unknown;
}

/** The answers after which a user sees nothing of their tenant any more. */
const endsTenant = new Set(['tenant_not_found', 'tenant_suspended', 'tenant_pending', 'tenant_archived', 'membership_missing', 'entry_required', 'user_unknown']);

/** A user's view of VITAL, in one tenant at a time. */
export class VitalClient {
  /** Feature flags. */
  readonly features: Features;
  /** What tenants are set up with. */
  readonly config: Configurations;
  /** Which agents tenants have. */
  readonly agents: Agents;
  /** The states of tenants. */
  readonly lifecycle: Lifecycle;

  #options!: VitalClientOptions;
  #transport!: Transport;
  #tab!: TabTenant;
  #unsubscribe: (() => void) | undefined;
  #scope: Scope;
  #following: AbortController | undefined;
  readonly #scopeListeners = new Set<() => void>();
  readonly #changeListeners = new Set<(change: Change) => void>();

  /** Prefer {@link createVitalClient}, which makes one client a page. */
  constructor(options: VitalClientOptions) {
    const core: Core = { read: (outgoing, call) => this.#read(outgoing, call).then(({ value }) => value as never), write: (...change) => this.#write(...change) };
    this.features = new Features(core);
    this.config = new Configurations(core);
    this.agents = new Agents(core);
    this.lifecycle = new Lifecycle(core);
    this.#scope = new Scope(undefined, options.tenant);
    this.configure(options);
  }

  /** Takes other options; the user and tenant stay while the session is theirs. */
  configure(options: VitalClientOptions): void {
    this.#unsubscribe?.();
    this.#options = options;
    this.#transport = new Transport(options.url.replace(/\/+$/, ''), options.fetch ?? ((...args) => globalThis.fetch(...args)), options.timeout ?? 20_000);
    this.#tab = new TabTenant(this.#transport.url, options.storage);
    this.#unsubscribe = options.onSession?.((token) => { this.#sessionIs(token); });
  }

  /** Where the server is, without a slash at its end. */
  get url(): string {
    return this.#transport.url;
  }

  /** The tenant this client is in: an id, or until the context was read, what it was named by; undefined is the user's default. */
  get tenant(): string | undefined {
    return this.#scope.tenant;
  }

  /** The user's tenants, as they were last read; also where the tenant acted in cannot be read any more. */
  get tenants(): readonly Tenant[] {
    return this.#scope.tenants;
  }

  /** Who the caller is, which tenants are theirs, and how the one acted in is set up. What is returned is shared: do not change it. */
  async context(options: CallOptions = {}): Promise<TenantContext> {
    const { scope, named, value } = await this.#read({ method: 'GET', path: '/v1/context' }, options);
    scope.signal.throwIfAborted();
    const context = value as TenantContext;
    scope.learn(named, context);
    if (named === scope.tenant) {
      // From here on by id: the user's default may become another, and this tab stays where it is.
      scope.tenant = context.organization.id;
      if (scope.user) this.#tab.save(scope.user, scope.tenant);
    }
    return context;
  }

  /**
   * Goes to another tenant, by id or slug; null is the user's default. At once, and whether or not the user may: all that is in flight for
   * the former is aborted with `tenant_switched`, and all that was remembered of it is gone.
   */
  switchTenant(tenant: string | null, options: Omit<CallOptions, 'tenant'> = {}): Promise<TenantContext> {
    if (tenant === null || this.#scope.at(tenant) !== this.#scope.at(this.#scope.tenant)) {
      this.#tab.forget();
      this.#enter(new Scope(this.#scope.user, tenant ?? undefined, this.#scope.tenants), leftTenant());
    }
    return this.context(options);
  }

  /**
   * The changes of the context, as they happen: read it again at each. Lost connections are opened anew, where they ended; it throws when
   * the user may hear no more.
   */
  async* events(options: CallOptions & { lastEventId?: string } = {}): AsyncGenerator<ContextEvent, void> {
    const { scope } = await this.#identify();
    const { controller, release } = linked(scope.signal, options.signal);
    const tenant = () => options.tenant ?? scope.tenant; // by id, once that is known
    try {
      yield* follow({
        open: (last, signal) => this.#openEvents(tenant(), last, signal),
        address: (signal) => this.#eventsAddress(tenant(), signal),
      }, { signal: controller.signal, lastEventId: options.lastEventId, heartbeat: this.#options.heartbeat ?? 45_000 });
    } finally {
      release();
    }
  }

  /**
   * Calls listener whenever the context, or what flags are worth, may have become another: by anybody's change, heard over one stream
   * for all listeners, and by this client's own. A stream that ended is begun again by the next listener. Returns how to stop.
   */
  onChange(listener: (change: Change) => void): () => void {
    const own = (change: Change) => listener(change);
    this.#changeListeners.add(own);
    if (!this.#following) void this.#follow();
    return () => {
      this.#changeListeners.delete(own);
      if (this.#changeListeners.size === 0) this.#stopFollowing();
    };
  }

  /**
   * `fetch` for all that the server has beside this client's methods: with the caller's token, in the tenant this client is in unless the
   * request names another by `Vital-Tenant`, and showing what was written before. It takes addresses of the server alone, or paths.
   *
   * ```ts
   * const rest = new PostgrestClient<Database>(`${vital.url}/rest/v1`, { fetch: vital.fetch })
   * ```
   *
   * An answer is returned whatever its status, and nothing is repeated that failed, as with any fetch. When the user or the tenant is left
   * it is aborted, and so is a body that is still being read. It rejects with a {@link VitalError}, by the name `AbortError` where the same
   * will not go well another time.
   */
  readonly fetch: typeof fetch = async (input, init) => {
    try {
      return await this.#pass(passing(input, init, this.url));
    } catch (error) {
      throw rejection(error);
    }
  };

  /** Calls listener whenever user or tenant have become others. Returns how to stop. For useSyncExternalStore, with {@link snapshot}. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#scopeListeners.add(own);
    return () => { this.#scopeListeners.delete(own); };
  };

  /** Another object whenever user or tenant are others. */
  readonly snapshot = (): object => this.#scope;

  // Who is asking

  /** The token to send, and what is known of its user; the call is given up when that is not who it was made for. */
  async #identify(): Promise<{ scope: Scope; token: string }> {
    const before = this.#scope;
    const token = await this.#token();
    before.signal.throwIfAborted();
    const somebodys = before.user != null && before.refused === undefined;
    const scope = this.#sessionIs(token);
    if (somebodys) before.signal.throwIfAborted();
    if (token === null) throw signedOut();
    return { scope, token };
  }

  async #token(): Promise<string | null> {
    try {
      return (await this.#options.getToken()) || null;
    } catch (error) {
      throw new VitalError({ code: 'token_unavailable', message: 'The access token could not be had.', hint: 'Try again; the cause says why.', cause: error });
    }
  }

  /** Takes note of whose session it is, and returns the scope of that. */
  #sessionIs(token: string | null): Scope {
    const user = token === null ? null : userOf(token);
    const scope = this.#scope;
    const again = scope.refused !== undefined && scope.refused !== token; // signed in anew
    if (scope.user === user && !again) return scope;
    if (scope.user === undefined) {
      scope.user = user;
      if (user) scope.tenant ??= this.#tab.load(user);
      return scope;
    }
    if (scope.user !== null && scope.user !== user) this.#tab.forget();
    const tenant = this.#options.tenant ?? (user === null ? undefined : this.#tab.load(user));
    return this.#enter(new Scope(user, tenant), user === null ? signedOut() : otherUser());
  }

  #enter(scope: Scope, reason: Error): Scope {
    const former = this.#scope;
    this.#scope = scope;
    this.#stopFollowing();
    former.leave(reason);
    for (const listener of this.#scopeListeners) listener();
    if (this.#changeListeners.size > 0) void this.#follow();
    return scope;
  }

  /** The server refuses what it had accepted before: all that it has shown goes with that. */
  #refused(scope: Scope, next: Scope, reason: Error): void {
    if (scope === this.#scope && scope.accepted) this.#enter(next, reason);
  }

  /** Does work as the caller, within the scope: its result is thrown away when that was left meanwhile. */
  async #as<T>(signal: AbortSignal | undefined, work: (scope: Scope, token: string, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { scope, token } = await this.#identify();
    const { controller, release } = linked(scope.signal, signal);
    try {
      controller.signal.throwIfAborted();
      const result = await work(scope, token, controller.signal).catch((error: unknown) => this.#withNewToken(error, token, (fresh) => work(scope, fresh, controller.signal)));
      controller.signal.throwIfAborted();
      scope.accepted = true;
      return result;
    } catch (error) {
      if (error instanceof VitalError && error.status === 401) {
        scope.refused = token;
        this.#refused(scope, new Scope(undefined, this.#options.tenant), error);
      }
      throw error;
    } finally {
      release();
    }
  }

  /** A token can expire on its way: where there is another by now, it is tried once. */
  async #withNewToken<T>(error: unknown, token: string, work: (token: string) => Promise<T>): Promise<T> {
    if (!(error instanceof VitalError) || error.code !== 'token_expired') throw error;
    const fresh = await this.#token();
    if (fresh === null || fresh === token || userOf(fresh) !== userOf(token)) throw error;
    return work(fresh);
  }

  // Reading and writing

  #read(outgoing: Outgoing, { tenant, signal }: CallOptions): Promise<Read> {
    return this.#as(signal, (scope, token, own) => {
      const named = tenant ?? scope.tenant;
      return this.#within(scope, named, () => this.#readIn(scope, named, outgoing, token, own));
    });
  }

  /** Does work in a tenant; the scope is left when the server says that it is the user's no more. */
  async #within<T>(scope: Scope, named: string | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const refused = error instanceof VitalError && endsTenant.has(error.code) && named === scope.tenant;
      if (refused) this.#refused(scope, new Scope(scope.user, named, scope.tenants), error);
      throw error;
    }
  }

  async #readIn(scope: Scope, named: string | undefined, outgoing: Outgoing, token: string, signal: AbortSignal): Promise<Read> {
    const place = scope.at(named);
    const key = JSON.stringify([outgoing.path, outgoing.body, outgoing.headers]); // what was only looked at would be no use when it is used: a 304 counts nothing
    const known = place.recall(key);
    const since = place.version;
    const send = () => withRetries(() => this.#transport.send({
      ...outgoing, headers: { ...outgoing.headers, 'Vital-Tenant': named, 'Vital-Min-Version': place.version, 'If-None-Match': known?.etag },
    }, token, signal), signal);
    const answer = await send().catch((error: unknown) => {
      // The server has gone back in time, restored from a backup: what was seen is no more.
      if (!(error instanceof VitalError) || error.code !== 'version_not_reached' || !place.version) throw error;
      place.forgetVersion();
      return send();
    });
    place.saw(answer.headers.get('Vital-Version'), since);
    if (answer.status === 304 && known) return { scope, named, value: known.value };
    const etag = answer.headers.get('ETag');
    if (etag) place.remember(key, etag, answer.body);
    return { scope, named, value: answer.body };
  }

  async #write<T>(method: 'POST' | 'PATCH', path: string, body: unknown, options: WriteOptions & { ifMatch?: string }): Promise<Written<T>> {
    const tenant = options.tenant ?? this.#scope.tenant ?? (await this.context({ signal: options.signal })).organization.id;
    const key = options.idempotencyKey ?? randomKey();
    const { scope, answer } = await this.#as(options.signal, async (scope, token, signal) => ({
      scope,
      answer: await withRetries(() => this.#transport.send({
        method, path: `/api/tenants/${encodeURIComponent(tenant)}${path}`, body,
        headers: { 'Idempotency-Key': key, 'If-Match': options.ifMatch, 'Vital-Reason': options.reason && headerText(options.reason) },
      }, token, signal), signal),
    }));
    const written = writtenOf<T>(answer);
    const place = scope.at(tenant);
    const news = written.version !== undefined && isNews(place.version, written.version);
    place.saw(written.version);
    if (news && place === scope.at(scope.tenant)) this.#tell({ version: written.version });
    return written;
  }

  /** Sends a request of somebody else's making; a refusal has its consequences, and is returned all the same. */
  async #pass(request: Passing): Promise<Response> {
    let refusal = undefined as Passed | undefined;
    try {
      return await this.#as(request.signal, (scope, token) => {
        if (refusal && !request.repeatable) throw refusal.error;
        const named = request.headers.get('Vital-Tenant') ?? scope.tenant;
        return this.#within(scope, named, async () => {
          const { response, error } = await passIn(scope, named, request, token, this.#transport);
          if (!error || !(refusesToken(error) || endsTenant.has(error.code))) return response;
          refusal = { response, error };
          throw error;
        });
      });
    } catch (error) {
      if (refusal && refusal.error === error) return refusal.response;
      throw error;
    }
  }

  // Hearing of changes

  /** Opens a stream; its body goes on until signal, which is the scope's, too. */
  #openEvents(tenant: string | undefined, last: string | undefined, signal: AbortSignal): Promise<Response> {
    return this.#as(signal, async (_scope, token) => {
      const response = await this.#transport.open({
        method: 'GET', path: '/v1/context/events', headers: { Accept: 'text/event-stream', 'Vital-Tenant': tenant, 'Last-Event-ID': last },
      }, token, signal);
      if (!response.ok) throw errorOf(response, await response.text());
      return response;
    });
  }

  /** Where an EventSource finds the stream. */
  async #eventsAddress(tenant: string | undefined, signal: AbortSignal): Promise<string> {
    const outgoing: Outgoing = { method: 'POST', path: '/v1/context/events', headers: { 'Vital-Tenant': tenant } };
    const { body } = await this.#as(signal, (_scope, token, own) => withRetries(() => this.#transport.send(outgoing, token, own), own));
    return this.#transport.url + (body as { url: string }).url;
  }

  async #follow(): Promise<void> {
    const following = this.#following = new AbortController();
    try {
      for await (const { version } of this.events({ signal: following.signal })) {
        if (following.signal.aborted) return;
        this.#scope.at(this.#scope.tenant).saw(version);
        this.#tell({ version });
      }
    } catch (error) {
      if (following.signal.aborted) return;
      if (this.#following === following) this.#following = undefined;
      this.#tell({ error });
    }
  }

  #stopFollowing(): void {
    this.#following?.abort(leftTenant());
    this.#following = undefined;
  }

  #tell(change: Change): void {
    for (const listener of [...this.#changeListeners]) listener(change);
  }
}

const clients = Symbol.for('@vital-db/client');

/**
 * The client for a server. A page has one for each url, however often this is called and by whichever bundle: the options of the last call
 * hold. Outside of a browser each call makes its own, since a server has many users.
 *
 * ```ts
 * const vital = createVitalClient({ url: 'https://vital.example.com', ...fromSupabase(supabase) })
 * const { organization, config } = await vital.context()
 * ```
 */
export function createVitalClient(options: VitalClientOptions): VitalClient {
  if (typeof window === 'undefined') return new VitalClient(options);
  const page = globalThis as { [clients]?: Map<string, VitalClient> };
  const made = page[clients] ??= new Map();
  const url = options.url.replace(/\/+$/, '');
  const known = made.get(url);
  if (known) {
    known.configure(options);
    return known;
  }
  const client = new VitalClient(options);
  made.set(url, client);
  return client;
}

function writtenOf<T>({ headers, body }: Answer): Written<T> {
  return {
    data: body as T,
    version: headers.get('Vital-Version') ?? undefined,
    etag: headers.get('ETag') ?? undefined,
    replayed: headers.get('Idempotent-Replayed') === 'true',
  };
}

/** Unlike crypto.randomUUID, this is there on pages without https, too. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A header holds bytes: those of UTF-8, on one line. */
function headerText(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text.replace(/\s+/g, ' ').trim()));
}
