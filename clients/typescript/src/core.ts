import type { Outgoing } from './http.js';

/** What every call takes. */
export interface CallOptions {
  /** The tenant, by id or slug; else the one this client is in. */
  tenant?: string;
  /** Ends the call. */
  signal?: AbortSignal;
}

/** What every change takes. */
export interface WriteOptions extends CallOptions {
  /** Why, for the audit log. */
  reason?: string;
  /** A key of your own for this change: repeated, it is done once. By default each call makes one, for its own retries. */
  idempotencyKey?: string;
}

/** What a change has come to. */
export interface Written<T> {
  data: T;
  /** The caller's context in that tenant, with this change. */
  version: string | undefined;
  /** Of the configuration, for `ifMatch`. */
  etag: string | undefined;
  /** Whether it had been done before, under the same idempotency key. */
  replayed: boolean;
}

/** What the parts of a client need of it. */
export interface Core {
  /** Reads in a tenant: revalidates what is remembered, shows nothing older than what was seen. */
  read<T>(outgoing: Outgoing, options: CallOptions): Promise<T>;
  /** Changes a tenant; `path` is what follows /api/tenants/{id}. */
  write<T>(method: 'POST' | 'PATCH', path: string, body: unknown, options: WriteOptions & { ifMatch?: string }): Promise<Written<T>>;
}
