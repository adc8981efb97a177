import { errorOf, VitalError } from './error.js';
import type { Transport } from './http.js';
import type { Scope } from './scope.js';

/** A request of somebody else's making, as fetch takes it, on its way to the server. */
export interface Passing {
  url: URL;
  method: string;
  headers: Headers;
  signal: AbortSignal | undefined;
  /** Whether its method says that it changes nothing. */
  safe: boolean;
  /** Whether it may be a read: what is safe, and POST to a function, by which postgrest-js reads as well. */
  reads: boolean;
  /** Whether it can be sent again: a body that is streamed is there once. */
  repeatable: boolean;
  /** What fetch is called with, to send it with these headers. */
  with(headers: Headers, signal: AbortSignal): Parameters<typeof fetch>;
}

/** Takes a request as fetch does, and refuses what would carry the token anywhere else than to the server at base. A path is one below base. */
export function passing(input: RequestInfo | URL, init: RequestInit = {}, base: string): Passing {
  const request = typeof Request !== 'undefined' && input instanceof Request ? new Request(input, init) : undefined;
  const url = within(request?.url ?? String(input), base);
  const method = (request?.method ?? init.method ?? 'GET').toUpperCase();
  const safe = method === 'GET' || method === 'HEAD';
  return {
    url, method, safe,
    headers: new Headers(request?.headers ?? init.headers),
    signal: request?.signal ?? init.signal ?? undefined,
    reads: safe || (method === 'POST' && url.pathname.includes('/rest/v1/rpc/')),
    repeatable: safe || (request === undefined && !isStream(init.body)),
    with: (headers, signal) => (request
      ? [new Request(request, { headers, signal, cache: 'no-store' })]
      : [url.href, { cache: 'no-store', ...init, headers, signal }]),
  };
}

function within(address: string, base: string): URL {
  const root = new URL(base);
  const url = parsed(address.startsWith('/') ? base + address : address);
  if (url?.origin === root.origin && url.pathname.startsWith(root.pathname.replace(/\/?$/, '/'))) return url;
  throw new VitalError({
    code: 'url_elsewhere', message: `This is no address of ${base}: ${url ? url.origin + url.pathname : address}`,
    hint: 'Only the server is sent the access token: give a path, or an address that begins with the client\'s url; use the global fetch for any other.',
  });
}

function parsed(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
}

/** What was answered: the response to hand on, and what it says where it is a refusal. */
export interface Passed {
  response: Response;
  error: VitalError | undefined;
}

/** Sends a request in a tenant, showing at least what was seen there, and takes note of what it has shown. */
export async function passIn(scope: Scope, named: string | undefined, request: Passing, token: string, transport: Transport): Promise<Passed> {
  const place = scope.at(named);
  const send = async () => {
    const since = place.version;
    const answer = await transport.pass(request, headersOf(request, named, since, token), scope.signal);
    // Nobody knows which of two states is the later: that of a change is, and none of before this was asked for.
    place.saw(answer.headers.get('Vital-Version'), request.safe ? since : place.version);
    return told(answer);
  };
  const passed = await scope.attempt(request, send, ({ response }) => response.status >= 500);
  // The server has gone back in time, restored from a backup: what was seen is no more.
  if (passed.error?.code !== 'version_not_reached' || !request.repeatable || !place.version) return passed;
  place.forgetVersion();
  return send();
}

function headersOf(request: Passing, named: string | undefined, version: string | undefined, token: string): Headers {
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${token}`);
  if (named) headers.set('Vital-Tenant', named);
  if (version && request.reads) headers.set('Vital-Min-Version', version);
  return headers;
}

/** The statuses that can be about who asks, where, or from when. */
const telling = new Set([401, 403, 404, 412]);

async function told(response: Response): Promise<Passed> {
  if (!telling.has(response.status)) return { response, error: undefined };
  const text = await response.text();
  const again = new Response(text, { status: response.status, statusText: response.statusText, headers: response.headers });
  return { response: Object.defineProperty(again, 'url', { value: response.url }), error: errorOf(response, text) };
}

/** Whether the server refuses the token itself; a function of the application's may answer 401, too. */
export function refusesToken({ status, code }: VitalError): boolean {
  return status === 401 && (code.startsWith('token_') || code === 'session_revoked');
}

/**
 * An error as fetch rejects with it. What will not go well another time has the name of an abort, by which libraries know not to
 * repeat it: a query of one tenant would be repeated as one of another.
 */
export function rejection(error: unknown): unknown {
  if (!(error instanceof VitalError) || error.transient) return error;
  return Object.defineProperty(new VitalError({ ...error, message: error.message, cause: error.cause, errors: [...error.errors] }), 'name', { value: 'AbortError' });
}
