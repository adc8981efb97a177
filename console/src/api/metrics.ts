// Measurements of a server, as /metrics tells them: https://prometheus.io/docs/instrumenting/exposition_formats/

export interface Sample { labels: Readonly<Record<string, string>>; value: number }

/** What was measured, by name. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>;

/** How many observations were at most so large, ascending; the last bound is infinite and has them all. */
export type Histogram = readonly { le: number; count: number }[];

const escapes: Record<string, string> = { n: '\n', '"': '"', '\\': '\\' };
const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+\S+)?$/;
const label = /[ \t]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)/y;

/** Reads the text format. A line that is not of it is an error: what is measured wrongly is worse than what is not measured. */
export function parseMetrics(text: string): Metrics {
  const metrics = new Map<string, Sample[]>();
  for (const raw of text.split('\n')) {
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, name, labels, value] = line.exec(trimmed) ?? [];
    if (name === undefined || value === undefined) throw new SyntaxError(`not a measurement: ${trimmed.slice(0, 200)}`);
    const samples = metrics.get(name) ?? [];
    samples.push({ labels: parseLabels(labels ?? ''), value: parseNumber(value) });
    metrics.set(name, samples);
  }
  return metrics;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const at = label.lastIndex;
    const [, name, value] = label.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new SyntaxError(`not labels: ${text.slice(at, at + 200)}`);
    labels[name] = value.replace(/\\(.)/g, (whole, letter: string) => escapes[letter] ?? whole);
  }
  return labels;
}

function parseNumber(text: string): number {
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  const value = Number(text);
  if (Number.isNaN(value) && text !== 'NaN') throw new SyntaxError(`not a number: ${text.slice(0, 50)}`);
  return value;
}

/** The sum of what is measured under a name and labels; undefined where nothing is. */
export function total(metrics: Metrics, name: string, labels: Record<string, string> = {}): number | undefined {
  const found = (metrics.get(name) ?? []).filter((sample) => matches(sample, labels));
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** The sums by a label's values. */
export function totalsBy(metrics: Metrics, name: string, by: string): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { labels, value } of metrics.get(name) ?? []) totals[labels[by] ?? ''] = (totals[labels[by] ?? ''] ?? 0) + value;
  return totals;
}

/** The histogram of a name and labels, those of all other labels together. */
export function histogram(metrics: Metrics, name: string, labels: Record<string, string> = {}): Histogram {
  const counts = new Map<number, number>();
  for (const sample of metrics.get(`${name}_bucket`) ?? []) {
    if (!matches(sample, labels)) continue;
    const le = parseNumber(sample.labels.le ?? '');
    counts.set(le, (counts.get(le) ?? 0) + sample.value);
  }
  return [...counts].map(([le, count]) => ({ le, count })).sort((a, b) => a.le - b.le);
}

/** What was observed after `earlier`, of the same server. */
export function since(later: Histogram, earlier: Histogram): Histogram {
  const before = new Map(earlier.map(({ le, count }) => [le, count]));
  return later.map(({ le, count }) => ({ le, count: Math.max(0, count - (before.get(le) ?? 0)) }));
}

/** How many were observed. */
export function observed(of: Histogram): number {
  return of.at(-1)?.count ?? 0;
}

/**
 * The value that a part `q` of the observations does not exceed, as Prometheus' histogram_quantile estimates it: evenly spread within a
 * bucket, and no more than the last finite bound. Undefined where nothing was observed.
 */
export function quantile(q: number, of: Histogram): number | undefined {
  const rank = q * observed(of);
  if (!(observed(of) > 0)) return undefined;
  const at = of.findIndex(({ count }) => count >= rank && count > 0);
  const bucket = of[at]!;
  const below = of[at - 1] ?? { le: 0, count: 0 };
  if (bucket.le === Infinity) return below.le;
  return below.le + (bucket.le - below.le) * ((rank - below.count) / (bucket.count - below.count));
}

function matches({ labels }: Sample, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
