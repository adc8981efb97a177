import { VitalError } from './error.js';
import { failed, timedOut } from './http.js';
import { jitter, linked, sleep } from './retry.js';
import { messages, type Message } from './sse.js';

/** Says that the context is another now: read it again. */
export interface ContextEvent {
  /** The state it tells of; as `lastEventId` it has a later stream begin there. */
  id: string;
  /** The version to read at least. */
  version: string;
}

/** Where a stream comes from. */
export interface EventOrigin {
  /** Opens the stream by fetch. */
  open(lastEventId: string | undefined, signal: AbortSignal): Promise<Response>;
  /** The stream's own address, for an EventSource, which can send no header. */
  address(signal: AbortSignal): Promise<string>;
}

export interface FollowOptions {
  signal: AbortSignal;
  lastEventId: string | undefined;
  /** Milliseconds without a sign of life, after which a connection counts as lost. */
  heartbeat: number;
}

const firstPause = 1000;

/**
 * The events of a context, over as many connections as it takes: each begins where the former ended. It ends by throwing: the signal's
 * reason, or why the caller may hear no more (signed out, suspended, no member any longer).
 */
export async function* follow(origin: EventOrigin, options: FollowOptions): AsyncGenerator<ContextEvent, never> {
  let last = options.lastEventId;
  let pause = firstPause;
  for (let failures = 0; ;) {
    try {
      for await (const message of connection(origin, last, options)) {
        failures = 0;
        last = message.id ?? last;
        pause = message.retry ?? pause;
        if (message.event === 'context') yield { id: last ?? '', version: versionOf(message.data) };
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof VitalError && error.transient)) throw error;
    }
    await sleep(jitter(pause, failures++), options.signal);
  }
}

function versionOf(data: string): string {
  try {
    return String((JSON.parse(data) as { version?: unknown }).version ?? '');
  } catch {
    return '';
  }
}

/** One connection, until the server ends it, it fails, or nothing is heard for too long. */
async function* connection(origin: EventOrigin, last: string | undefined, { signal, heartbeat }: FollowOptions): AsyncGenerator<Message> {
  const { controller, release } = linked(signal);
  let alarm: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(alarm);
    alarm = setTimeout(() => controller.abort(timedOut()), heartbeat);
  };
  try {
    if (!canStream()) return yield* addressed(await origin.address(controller.signal), last, controller.signal);
    heard();
    const response = await origin.open(last, controller.signal);
    if (response.body) yield* messages(response.body, heard);
  } catch (error) {
    throw error instanceof VitalError ? error : failed(error, controller.signal);
  } finally {
    clearTimeout(alarm);
    release();
    controller.abort(); // whoever stops listening closes the connection
  }
}

/** Whether fetch hands on an answer while it comes. */
function canStream(): boolean {
  return typeof Response !== 'undefined' && 'body' in Response.prototype && typeof TextDecoderStream !== 'undefined';
}

/** A stream by EventSource: it comes back by itself until its address is refused. */
async function* addressed(address: string, last: string | undefined, signal: AbortSignal): AsyncGenerator<Message> {
  if (typeof EventSource === 'undefined') {
    throw new VitalError({ code: 'streams_unsupported', message: 'Nothing here can read a stream of events.', hint: 'Read the context from time to time, or provide an EventSource.' });
  }
  const source = new EventSource(from(address, last));
  const waiting: Message[] = [];
  let wake = () => {};
  const hear = (event: MessageEvent<string>) => {
    waiting.push({ event: 'context', data: event.data, id: event.lastEventId, retry: undefined });
    wake();
  };
  source.addEventListener('context', hear);
  source.addEventListener('error', () => wake());
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    for (;;) {
      for (let message; (message = waiting.shift());) yield message;
      signal.throwIfAborted();
      if (source.readyState === EventSource.CLOSED) return;
      await new Promise<void>((resolve) => { wake = resolve; });
    }
  } finally {
    source.close();
  }
}

/** The address gives the state of now as known; what the client knows is older, or nothing. */
function from(address: string, last: string | undefined): string {
  const url = new URL(address);
  if (last) url.searchParams.set('since', last);
  else url.searchParams.delete('since');
  return url.href;
}
