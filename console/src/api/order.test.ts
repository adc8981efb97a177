import { describe, expect, test } from 'vitest';
import { moved } from './order';

const rows = (...orders: number[]) => orders.map((display_order, n) => ({ id: 'abcd'[n]!, display_order }));

describe('moving a row', () => {
  test('two change places where the numbers say the order', () => {
    expect(moved(rows(1, 5, 9), 'b', -1)).toEqual([{ id: 'b', display_order: 1 }, { id: 'a', display_order: 5 }]);
    expect(moved(rows(1, 5, 9), 'b', 1)).toEqual([{ id: 'c', display_order: 5 }, { id: 'b', display_order: 9 }]);
  });

  test('all are counted anew where some are alike, and only those that differ are named', () => {
    expect(moved(rows(1, 1, 3), 'b', -1)).toEqual([{ id: 'a', display_order: 2 }]);
    expect(moved(rows(0, 0, 0), 'c', -1).map(({ id, display_order }) => [id, display_order])).toEqual([['a', 1], ['c', 2], ['b', 3]]);
  });

  test('nothing moves beyond an end, nor what is gone', () => {
    expect(moved(rows(1, 2), 'a', -1)).toEqual([]);
    expect(moved(rows(1, 2), 'b', 1)).toEqual([]);
    expect(moved(rows(1, 2), 'z', 1)).toEqual([]);
  });
});
