import { VitalError } from './error.js';
import type { TenantContext, Tenant } from './types.js';
import { latest } from './version.js';

/** Where a tab keeps which tenant it is in: sessionStorage, or anything like it. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** An answer, with the validator to ask whether it is still true. */
interface Remembered {
  etag: string;
  value: unknown;
}

const mostRemembered = 50;

/** What is known of one tenant, under all its names: what it last answered, and the version that its reads must show at least. */
export class Place {
  #version: string | undefined;
  readonly #remembered = new Map<string, Remembered>();

  get version(): string | undefined {
    return this.#version;
  }

  /**
   * Takes note of a version, in an answer to what was asked when `since` was known. Where neither can be told to be the later, what was
   * learned in between is.
   */
  saw(version: string | null | undefined, since = this.#version): void {
    if (!version) return;
    const known = this.#version;
    this.#version = known === undefined || known === since ? latest(known, version) : latest(version, known);
  }

  forgetVersion(): void {
    this.#version = undefined;
  }

  recall(key: string): Remembered | undefined {
    return this.#remembered.get(key);
  }

  /** Keeps an answer; the one that was kept first goes when there are too many. */
  remember(key: string, etag: string, value: unknown): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { etag, value });
    if (this.#remembered.size > mostRemembered) this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}

/**
 * All that is known of one user in one tenant. When either changes the scope is left as a whole: what is in flight is aborted, and what
 * was remembered goes with it.
 */
export class Scope {
  readonly #controller = new AbortController();
  readonly #places = new Map<string, Place>();
  /** Who is signed in: null is nobody, undefined that nobody has asked yet. */
  user: string | null | undefined;
  /** The tenant acted in, by id or slug; undefined is the user's default, until it is known which that is. */
  tenant: string | undefined;
  /** The user's tenants, as they were last read: what is the user's alone goes along into another tenant. */
  tenants: Tenant[];
  /** Whether the server has answered the user: only then is there something to leave. */
  accepted = false;
  /** The token that the server has refused, if it has. */
  refused: string | undefined;

  constructor(user: string | null | undefined, tenant: string | undefined, tenants: Tenant[] = []) {
    this.user = user;
    this.tenant = tenant;
    this.tenants = tenants;
  }

  /** What has failed here, and whoever asked for it may repeat. */
  readonly #failed = new Set<string>();

  /** Aborted when the scope is left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  leave(reason: Error): void {
    this.#controller.abort(reason);
    this.#places.clear();
  }

  /**
   * Does what somebody asks for, who repeats it by themselves when it fails, as postgrest-js does, and says so in X-Retry-Count: only
   * what has failed in this scope is repeated in it.
   */
  async attempt<T>(request: { url: URL; method: string; headers: Headers }, work: () => Promise<T>, hasFailed: (result: T) => boolean): Promise<T> {
    const key = `${request.method} ${request.url.href}`;
    if (request.headers.has('X-Retry-Count') && !this.#failed.has(key)) throw leftTenant();
    this.#failed.add(key);
    const result = await work();
    if (!hasFailed(result)) this.#failed.delete(key);
    return result;
  }

  /** What is known of a tenant; undefined is the user's default. */
  at(tenant: string | undefined): Place {
    const name = tenant ?? '';
    const known = this.#places.get(name) ?? new Place();
    if (!this.signal.aborted) this.#places.set(name, known);
    return known;
  }

  /** Learns from a context which names stand for one tenant. */
  learn(named: string | undefined, { tenants, organization }: TenantContext): void {
    if (this.signal.aborted) return;
    this.tenants = tenants;
    this.#join(named ?? '', organization.id);
    for (const { slug, id } of [...tenants, organization]) this.#join(slug, id);
  }

  #join(name: string, id: string): void {
    const [named, known] = [this.#places.get(name), this.#places.get(id)];
    const place = known ?? named;
    if (!place) return;
    place.saw(named?.version);
    this.#places.set(name, place).set(id, place);
  }
}

/** Which tenant this tab is in, over a reload. It belongs to one user, and no other tab sees it. */
export class TabTenant {
  readonly #storage: TabStorage | undefined;
  readonly #key: string;

  constructor(url: string, storage: TabStorage | null | undefined) {
    this.#key = `vital:${url}:tenant`;
    this.#storage = storage === null ? undefined : storage ?? sessionStorageIfAny();
  }

  load(user: string): string | undefined {
    try {
      const kept = JSON.parse(this.#storage?.getItem(this.#key) ?? 'null') as { user?: unknown; tenant?: unknown } | null;
      return kept?.user === user && typeof kept.tenant === 'string' ? kept.tenant : undefined;
    } catch {
      return undefined; // somebody else's, or a browser that keeps nothing
    }
  }

  save(user: string, tenant: string): void {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify({ user, tenant }));
    } catch {
      // A browser that keeps nothing: the tab is in its tenant until it is loaded anew.
    }
  }

  forget(): void {
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // Nothing was kept.
    }
  }
}

function sessionStorageIfAny(): TabStorage | undefined {
  try {
    return globalThis.window?.sessionStorage;
  } catch {
    return undefined; // a browser that keeps nothing throws here
  }
}

/** Whose token it is, so that what belongs to one user is not shown to another. It grants nothing and is not verified: the server does. */
export function userOf(token: string): string {
  try {
    const payload = token.split('.')[1] ?? '';
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === 'string' ? sub : token;
  } catch {
    return token; // not ours to read: another token is another user
  }
}

export function signedOut(): VitalError {
  return new VitalError({ code: 'token_missing', message: 'Nobody is signed in.', hint: 'Sign in, and ask again.', status: 401 });
}

export function otherUser(): VitalError {
  return new VitalError({ code: 'session_changed', message: 'Somebody else has signed in meanwhile.', hint: 'Ask again as who is signed in now.' });
}

export function leftTenant(): VitalError {
  return new VitalError({
    code: 'tenant_switched', message: 'The tenant was left before the answer came.',
    hint: 'Ask again where you are now. A change may have been made all the same: with its idempotency key it can be repeated in its own tenant.',
  });
}
