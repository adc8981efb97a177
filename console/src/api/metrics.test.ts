import { describe, expect, test } from 'vitest';
import { histogram, observed, parseMetrics, quantile, since, total, totalsBy } from './metrics';

const text = `# HELP vital_memory_hits_total Answered from memory.
# TYPE vital_memory_hits_total counter
vital_memory_hits_total{of="contexts"} 30
vital_memory_hits_total{of="flags"} 12
vital_changes_heard 1
vital_odd{path="C:\\\\new \\"x\\", {y}\\n",other="a,b"} 1.5e-3 1700000000000
vital_up +Inf
vital_none NaN

vital_delay_seconds_bucket{route="/a",le="0.1"} 1
vital_delay_seconds_bucket{route="/a",le="+Inf"} 4
vital_delay_seconds_bucket{route="/a",le="0.5"} 3
vital_delay_seconds_bucket{route="/b",le="0.1"} 1
vital_delay_seconds_bucket{route="/b",le="0.5"} 1
vital_delay_seconds_bucket{route="/b",le="+Inf"} 1
vital_delay_seconds_sum{route="/a"} 2
`;

describe('parseMetrics', () => {
  const metrics = parseMetrics(text);

  test('takes names, labels and values', () => {
    expect(metrics.get('vital_changes_heard')).toEqual([{ labels: {}, value: 1 }]);
    expect(metrics.get('vital_memory_hits_total')?.map(({ labels }) => labels.of)).toEqual(['contexts', 'flags']);
  });

  test('undoes what is escaped in labels, and takes times and what is no common number', () => {
    expect(metrics.get('vital_odd')).toEqual([{ labels: { path: 'C:\\new "x", {y}\n', other: 'a,b' }, value: 0.0015 }]);
    expect(metrics.get('vital_up')![0]!.value).toBe(Infinity);
    expect(metrics.get('vital_none')![0]!.value).toBeNaN();
  });

  test.each(['<!doctype html>', 'vital_x', 'vital_x one', 'vital_x{a=b} 1', 'vital_x{a="b} 1'])('refuses %s', (broken) => {
    expect(() => parseMetrics(broken)).toThrow(SyntaxError);
  });
});

describe('sums', () => {
  const metrics = parseMetrics(text);

  test('are of all that has the labels, and undefined of what is not measured', () => {
    expect(total(metrics, 'vital_memory_hits_total')).toBe(42);
    expect(total(metrics, 'vital_memory_hits_total', { of: 'flags' })).toBe(12);
    expect(total(metrics, 'vital_memory_hits_total', { of: 'documents' })).toBeUndefined();
    expect(total(metrics, 'vital_redis_up')).toBeUndefined();
  });

  test('are told by a label', () => {
    expect(totalsBy(metrics, 'vital_memory_hits_total', 'of')).toEqual({ contexts: 30, flags: 12 });
    expect(totalsBy(metrics, 'vital_redis_up', 'of')).toEqual({});
  });
});

describe('histograms', () => {
  const metrics = parseMetrics(text);

  test('are summed and in order of their bounds', () => {
    expect(histogram(metrics, 'vital_delay_seconds')).toEqual([{ le: 0.1, count: 2 }, { le: 0.5, count: 4 }, { le: Infinity, count: 5 }]);
    expect(histogram(metrics, 'vital_delay_seconds', { route: '/b' })).toEqual([{ le: 0.1, count: 1 }, { le: 0.5, count: 1 }, { le: Infinity, count: 1 }]);
    expect(histogram(metrics, 'vital_other')).toEqual([]);
  });

  test('are told since an earlier one', () => {
    const earlier = [{ le: 0.1, count: 2 }, { le: 0.5, count: 2 }, { le: Infinity, count: 2 }];
    const after = since(histogram(metrics, 'vital_delay_seconds'), earlier);
    expect(after).toEqual([{ le: 0.1, count: 0 }, { le: 0.5, count: 2 }, { le: Infinity, count: 3 }]);
    expect(observed(after)).toBe(3);
  });

  // As of histogram_quantile, with 10 observations up to 1, 10 more up to 2, and one beyond 4.
  const delays = [{ le: 1, count: 10 }, { le: 2, count: 20 }, { le: 4, count: 20 }, { le: Infinity, count: 21 }];
  test.each([[0, 0], [0.25, 0.525], [10 / 21, 1], [0.5, 1.05], [20 / 21, 2], [0.99, 4], [1, 4]])('quantile %d is %d', (q, value) => {
    expect(quantile(q, delays)).toBeCloseTo(value, 10);
  });

  test('have no quantile where nothing was observed', () => {
    expect(quantile(0.5, [])).toBeUndefined();
    expect(quantile(0.5, [{ le: 1, count: 0 }, { le: Infinity, count: 0 }])).toBeUndefined();
  });
});
