import { errorOf, VitalError } from './error.js';
import type { Passing } from './passing.js';
import { anyOf, linked } from './retry.js';

/** One request, before it is known who sends it. */
export interface Outgoing {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  headers?: Record<string, string | undefined>;
  body?: unknown;
}

/** An answer that was read whole; `body` is undefined for 304. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** How requests leave this page: nothing they bring stays in the browser's own cache. */
export class Transport {
  readonly url: string;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;

  constructor(url: string, fetcher: typeof fetch, timeout: number) {
    this.url = url;
    this.#fetch = fetcher;
    this.#timeout = timeout;
  }

  /** Sends one request and reads its answer, once. What is no success, and not 304, is a {@link VitalError}. */
  async send(outgoing: Outgoing, token: string, signal: AbortSignal): Promise<Answer> {
    const { controller, release } = linked(signal);
    const late = setTimeout(() => controller.abort(timedOut()), this.#timeout);
    try {
      const response = await this.open(outgoing, token, controller.signal);
      const text = await read(response, controller.signal);
      if (!response.ok && response.status !== 304) throw errorOf(response, text);
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : decoded(response, text) };
    } finally {
      clearTimeout(late);
      release();
    }
  }

  /** Sends one request; the answer's body is the caller's to read. */
  async open(outgoing: Outgoing, token: string, signal: AbortSignal): Promise<Response> {
    try {
      return await this.#fetch(this.url + outgoing.path, {
        method: outgoing.method,
        headers: defined({ Authorization: `Bearer ${token}`, 'Content-Type': outgoing.body === undefined ? undefined : 'application/json', ...outgoing.headers }),
        body: outgoing.body === undefined ? undefined : JSON.stringify(outgoing.body),
        signal,
        cache: 'no-store',
      });
    } catch (error) {
      throw failed(error, signal);
    }
  }

  /** Sends a request of somebody else's making. What is safe has to be answered in time; the answer's body is theirs to read, until either signal. */
  async pass(request: Passing, headers: Headers, signal: AbortSignal): Promise<Response> {
    const late = new AbortController();
    const timer = request.safe ? setTimeout(() => late.abort(timedOut()), this.#timeout) : undefined;
    const own = anyOf([signal, late.signal, ...(request.signal ? [request.signal] : [])]);
    try {
      return await this.#fetch(...request.with(headers, own));
    } catch (error) {
      throw failed(error, own);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function read(response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw failed(error, signal);
  }
}

function decoded(response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new VitalError({
      code: `http_${response.status}`, message: 'The answer is not JSON.', status: response.status, cause: error,
      hint: 'Check the url: something else than VITAL answers there.',
    });
  }
}

/** Why a request brought no answer: its signal's own reason, or the network. */
export function failed(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return new VitalError({
    code: 'network', message: 'The server could not be reached, or the connection was lost.', cause: error,
    hint: 'Check the network and the url; from a browser, VITAL_CORS_ORIGINS has to name the page\'s origin.',
  });
}

export function timedOut(): VitalError {
  return new VitalError({ code: 'timeout', message: 'No answer came in time.', hint: 'Try again; if it goes on, the server or the network is too slow.' });
}

function defined(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
