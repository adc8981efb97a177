import { VitalError } from './error.js';

const attempts = 4;
const firstPause = 200;
const longestPause = 10_000;
/** Who is told to wait longer than this is told so, rather than kept waiting. */
const longestWait = 30;

/** Tries again what may be repeated and may go well another time: with exponential backoff and full jitter, or when the server said. */
export async function withRetries<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures + 1 >= attempts || !(error instanceof VitalError) || !error.transient) throw error;
      if ((error.retryAfter ?? 0) > longestWait) throw error;
      await sleep((error.retryAfter ?? 0) * 1000 + jitter(firstPause, failures), signal);
    }
  }
}

/** A pause after so many failures: anything between nothing and twice the last bound, so that clients do not come all at once. */
export function jitter(first: number, failures: number): number {
  return Math.random() * Math.min(longestPause, first * 2 ** failures);
}

/** Resolves after so many milliseconds; rejects with the signal's reason. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal.removeEventListener('abort', stop); resolve(); }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** A controller that is aborted with the first of signals; `release` once it is no longer needed. */
export function linked(...signals: (AbortSignal | undefined)[]): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  const undo = signals.flatMap((signal) => {
    if (!signal) return [];
    const abort = () => controller.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return [() => signal.removeEventListener('abort', abort)];
  });
  return { controller, release: () => undo.forEach((each) => each()) };
}

/** Aborted with the first of signals, for as long as somebody looks at it. */
export function anyOf(signals: AbortSignal[]): AbortSignal {
  return 'any' in AbortSignal ? AbortSignal.any(signals) : linked(...signals).controller.signal; // older browsers have only the latter
}
