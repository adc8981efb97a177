import { useSyncExternalStore } from 'react';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
/** "30 Nov 2026, 23:13:57": in the time zone of who looks. */
export const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
/** "30 Nov 2026". */
export const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
/** "23:13:57". */
export const clockTime = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const units: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60]];

/** "3 hours ago". */
export function ago(at: string | Date, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.round(seconds / length), unit);
}

const listeners = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

/** One clock for all times that are shown, for as long as there are any. */
function tick(listener: () => void): () => void {
  listeners.add(listener);
  clock ??= setInterval(() => { for (const tell of listeners) tell(); }, 10_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  };
}

/** A time as people say it; the exact one is told by pointing at it. */
export function Time({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="text-muted">–</span>;
  return <Ago at={at} />;
}

function Ago({ at }: { at: string }) {
  const said = useSyncExternalStore(tick, () => ago(at));
  return <time dateTime={at} title={exact.format(new Date(at))} className="whitespace-nowrap">{said}</time>;
}
