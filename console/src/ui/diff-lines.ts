// What differs between two values, line by line of their JSON.

export interface Line { kind: 'same' | 'removed' | 'added'; text: string }
/** Lines that belong together; `hidden` is how many that are the same were left out. */
export type Part = { hidden: number } | { lines: Line[] };

/** How many comparisons are made at most; texts that need more are shown as one taken away and one put in its place. */
const most = 2_000_000;

/** The lines of both values: those that were taken away and put in among those that stayed. The order of an object's members does not count. */
export function compare(before: unknown, after: unknown): Line[] {
  const [a, b] = [printed(before), printed(after)];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (text: string): Line => ({ kind: 'same', text });
  return [
    ...a.slice(0, start).map(same),
    ...changed(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

/** Leaves out what is the same, but for a few lines around what is not. */
export function fold(lines: Line[], around = 3): Part[] {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - around), i + around + 1).some(({ kind }) => kind !== 'same'));
  const parts: Part[] = [];
  for (const [i, line] of lines.entries()) {
    const last = parts.at(-1);
    if (near[i]) {
      if (last && 'lines' in last) last.lines.push(line);
      else parts.push({ lines: [line] });
    } else if (last && 'hidden' in last) last.hidden++;
    else parts.push({ hidden: 1 });
  }
  return parts;
}

/** Without the commas at the ends of lines: they say nothing, and a member that is added would change its neighbour's line. */
function printed(value: unknown): string[] {
  return value === undefined ? [] : JSON.stringify(sorted(value), null, 2).split('\n').map((line) => line.replace(/,$/, ''));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}

/** By their longest common subsequence. */
function changed(a: string[], b: string[]): Line[] {
  if (a.length * b.length > most) return [...a.map((text): Line => ({ kind: 'removed', text })), ...b.map((text): Line => ({ kind: 'added', text }))];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i]! });
      i++; j++;
    } else if (j === b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) lines.push({ kind: 'removed', text: a[i++]! });
    else lines.push({ kind: 'added', text: b[j++]! });
  }
  return lines;
}
