import { describe, expect, test } from 'vitest';
import { parseMetrics } from '../../../api/metrics';
import { askedBetween, hitRate, keep, ofLast, readingOf, requestRates, sliding, together } from './reading';

const text = ({ started = 100, hits = 0, misses = 0, ok = 0, failed = 0, more = '' } = {}) => `
process_start_time_seconds ${started}
vital_memory_entries{of="contexts"} 2
vital_memory_bytes{of="contexts"} 2048
vital_memory_bytes_max{of="contexts"} 4096
vital_memory_hits_total{of="contexts"} ${hits}
vital_memory_misses_total{of="contexts"} ${misses}
vital_memory_entries{of="flags"} 0
vital_memory_hits_total{of="flags"} 1
vital_changes_heard 1
vital_http_request_duration_seconds_count{method="GET",route="GET /v1/context",status="200"} ${ok}
vital_http_request_duration_seconds_count{method="POST",route="/rest/v1/",status="201"} 1
vital_http_request_duration_seconds_count{method="GET",route="GET /v1/context",status="503"} ${failed}
vital_http_request_duration_seconds_count{method="GET",route="GET /metrics",status="200"} 99
${more}`;

const reading = (at: number, of: Parameters<typeof text>[0] = {}) => readingOf(parseMetrics(text(of)), at);

describe('a reading', () => {
  test('has each level of memory, and whether changes are heard', () => {
    const { memory, heard, redis } = reading(1, { hits: 3, misses: 1 });
    expect(memory.contexts).toEqual({ hits: 3, misses: 1, stale: 0, evictions: 0, entries: 2, bytes: 2048, bound: 4096 });
    expect(Object.keys(memory)).toEqual(['contexts', 'flags']);
    expect(heard).toBe(true);
    expect(redis).toBeUndefined();
  });

  test('has Redis where the server has', () => {
    expect(reading(1, { more: 'vital_redis_up 0\nvital_redis_refused_total 4' }).redis).toMatchObject({ up: false, refused: 4 });
  });

  test('leaves out the requests for itself', () => {
    expect(reading(1, { ok: 5 }).requests).toEqual({ 200: 5, 201: 1, 503: 0 });
  });
});

describe('readings', () => {
  test('are kept for ten minutes', () => {
    const readings = [1, 2, 601, 602].reduce<ReturnType<typeof keep>>((sofar, at) => keep(sofar, reading(at)), []);
    expect(readings.map(({ at }) => at)).toEqual([601, 602]);
  });

  test('are those of the server that answered last', () => {
    expect(ofLast([reading(1), reading(3, { started: 200 }), reading(5)]).map(({ at }) => at)).toEqual([1, 5]);
    expect(ofLast([])).toEqual([]);
  });

  test('tell how often memory answered between two of them', () => {
    const [earlier, later] = [reading(1, { hits: 10, misses: 10 }), reading(11, { hits: 19, misses: 11 })];
    expect(hitRate(askedBetween(together(earlier), together(later)))).toBe(0.9);
    expect(hitRate(askedBetween(together(later), together(later)))).toBeUndefined();
  });

  test('tell how many requests a second were answered how', () => {
    expect(requestRates(reading(1, { ok: 5 }), reading(11, { ok: 25, failed: 10 }))).toEqual({ '2xx': 2, '5xx': 1 });
  });

  test('are looked at over a while before each', () => {
    const spans = sliding([0, 2, 4, 6, 20].map((at) => reading(at)), 4, (earlier, later) => [earlier.at, later.at]);
    expect(spans).toEqual([null, [0, 2], [0, 4], [2, 6], [6, 20]]);
  });
});
