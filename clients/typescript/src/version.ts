// Vital-Version names a state: four counters of changes, then a sealed position of the database's log that only the server can read.
const counters = 4;

/**
 * The version that shows at least what both show. Counters can be told apart and are taken each at its highest; the position is that of
 * the later state, or of `next` where neither is known to be: of rows there is a position alone, and all its counters are 0.
 */
export function latest(known: string | undefined, next: string): string {
  if (known === undefined) return next;
  const [a, b] = [parts(known), parts(next)];
  const highest = a.counts.map((count, i) => Math.max(count, b.counts[i] ?? 0));
  const ahead = a.position !== undefined && (b.position === undefined || (b.counts.some(Boolean) && behind(b.counts, a.counts)));
  const position = ahead ? a.position : b.position;
  return [...highest, ...(position === undefined ? [] : [position])].join('.');
}

/** Whether next counts changes that known does not. */
export function isNews(known: string | undefined, next: string): boolean {
  if (known === undefined) return true;
  const [a, b] = [parts(known), parts(next)];
  return b.counts.some((count, i) => count > (a.counts[i] ?? 0));
}

/** Whether a lies before b: nowhere above it, and somewhere below. */
function behind(a: number[], b: number[]): boolean {
  return a.every((count, i) => count <= (b[i] ?? 0)) && a.some((count, i) => count < (b[i] ?? 0));
}

function parts(version: string): { counts: number[]; position: string | undefined } {
  const all = version.split('.');
  return { counts: all.slice(0, counters).map(Number), position: all[counters] };
}
