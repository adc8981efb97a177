// What one server measures of its memory, of how it hears of changes and of what it is asked.
import { histogram, since, total, totalsBy, type Histogram, type Metrics } from '../../../api/metrics';

/** What is remembered of one sort, and how often that answered. */
export interface Level { hits: number; misses: number; stale: number; entries: number; bytes: number; bound: number; evictions: number }

export interface Redis { up: boolean; hits: number; misses: number; stale: number; garbage: number; refused: number; errors: number; evictions: number; pending: number }

/** Counters count from the server's start. */
export interface Reading {
  /** Seconds since 1970, by the clock of this browser. */
  at: number;
  /** When the server was started, by its own clock: which server it is. */
  started: number;
  memory: Record<string, Level>;
  /** None, where servers share nothing. */
  redis?: Redis;
  heard: boolean; hints: number; looks: number; forgotten: number;
  delay: Histogram;
  streams: number;
  pool: { acquired: number; idle: number; max: number; waits: number; waitSeconds: number; heldBack: number };
  waiting: number;
  rejected: number;
  /** By status; those for the measurements themselves are left out. */
  requests: Record<string, number>;
}

export function readingOf(metrics: Metrics, at: number): Reading {
  const count = (name: string, labels?: Record<string, string>) => total(metrics, name, labels) ?? 0;
  const asked = (metrics.get('vital_http_request_duration_seconds_count') ?? []).filter(({ labels }) => labels.route !== 'GET /metrics');
  return {
    at, started: count('process_start_time_seconds'), memory: levelsOf(metrics), redis: redisOf(metrics),
    heard: count('vital_changes_heard') === 1, hints: count('vital_changes_hints_total'), looks: count('vital_changes_looks_total'), forgotten: count('vital_changes_forgotten_total'),
    delay: histogram(metrics, 'vital_change_delay_seconds'), streams: count('vital_event_streams'),
    pool: {
      acquired: count('vital_pool_connections_acquired'), idle: count('vital_pool_connections_idle'), max: count('vital_pool_connections_max'),
      waits: count('vital_pool_waits_total'), waitSeconds: count('vital_pool_wait_seconds_total'), heldBack: count('vital_fair_waits_total'),
    },
    waiting: count('vital_fair_waiting'), rejected: count('vital_fair_rejected_total'),
    requests: totalsBy(new Map([['asked', asked]]), 'asked', 'status'),
  };
}

function levelsOf(metrics: Metrics): Record<string, Level> {
  const of = Object.keys(totalsBy(metrics, 'vital_memory_entries', 'of'));
  const count = (name: string, level: string) => total(metrics, `vital_memory_${name}`, { of: level }) ?? 0;
  return Object.fromEntries(of.map((level) => [level, {
    hits: count('hits_total', level), misses: count('misses_total', level), stale: count('stale_total', level), evictions: count('evictions_total', level),
    entries: count('entries', level), bytes: count('bytes', level), bound: count('bytes_max', level),
  }]));
}

function redisOf(metrics: Metrics): Redis | undefined {
  const up = total(metrics, 'vital_redis_up');
  if (up === undefined) return undefined;
  const count = (name: string) => total(metrics, `vital_redis_${name}`) ?? 0;
  return {
    up: up === 1, hits: count('hits_total'), misses: count('misses_total'), stale: count('stale_total'), garbage: count('garbage_total'), refused: count('refused_total'),
    errors: count('errors_total'), evictions: count('evictions_total'), pending: count('evictions_pending'),
  };
}

/** How long readings are kept, in seconds. */
export const kept = 600;

/** Readings with one more; those that are too old are dropped. */
export function keep(readings: readonly Reading[], reading: Reading): Reading[] {
  return [...readings.filter(({ at }) => at > reading.at - kept && at < reading.at), reading];
}

/** Those of the server that answered last: counters of two cannot be compared. */
export function ofLast(readings: readonly Reading[]): Reading[] {
  const last = readings.at(-1);
  return readings.filter(({ started }) => started === last?.started);
}

export interface Asked { hits: number; misses: number; stale: number }

/** How often memory answered; undefined where it was not asked. */
export function hitRate({ hits, misses, stale }: Asked): number | undefined {
  const all = hits + misses + stale;
  return all > 0 ? hits / all : undefined;
}

/** What was asked between two readings. */
export function askedBetween(earlier: Asked | undefined, later: Asked): Asked {
  const between = (name: keyof Asked) => later[name] - (earlier?.[name] ?? 0);
  return { hits: between('hits'), misses: between('misses'), stale: between('stale') };
}

/** All levels of a memory together. */
export function together({ memory }: Reading): Asked {
  return Object.values(memory).reduce<Asked>((sum, level) => ({ hits: sum.hits + level.hits, misses: sum.misses + level.misses, stale: sum.stale + level.stale }), { hits: 0, misses: 0, stale: 0 });
}

/** For each reading, what `of` makes of it and of one about `seconds` before it; null for the first. */
export function sliding<Value>(readings: readonly Reading[], seconds: number, of: (earlier: Reading, later: Reading) => Value): (Value | null)[] {
  let first = 0;
  return readings.map((later, at) => {
    while (first < at - 1 && later.at - readings[first + 1]!.at >= seconds) first++;
    return at === 0 ? null : of(readings[first]!, later);
  });
}

/** What was observed of changes between two readings. */
export function delaysBetween(earlier: Reading, later: Reading): Histogram {
  return since(later.delay, earlier.delay);
}

/** Requests per second between two readings, by the first figure of their status. */
export function requestRates(earlier: Reading, later: Reading): Record<string, number> {
  const rates: Record<string, number> = {};
  for (const [status, count] of Object.entries(later.requests)) {
    const answered = `${status[0]}xx`;
    rates[answered] = (rates[answered] ?? 0) + (count - (earlier.requests[status] ?? 0)) / (later.at - earlier.at);
  }
  return rates;
}
