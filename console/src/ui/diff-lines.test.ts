import { expect, test } from 'vitest';
import { compare, fold } from './diff-lines';

const said = (before: unknown, after: unknown) => compare(before, after).map(({ kind, text }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${text}`);

test('says which members were taken away, put in and changed, whatever their order', () => {
  expect(said({ b: 1, a: 2 }, { a: 2, b: 3, c: 4 })).toEqual([' {', '   "a": 2', '-  "b": 1', '+  "b": 3', '+  "c": 4', ' }']);
});

test('finds nothing between two values that are the same', () => {
  expect(compare({ a: [1, { c: 1, b: 2 }] }, { a: [1, { b: 2, c: 1 }] }).every(({ kind }) => kind === 'same')).toBe(true);
});

test('a value that was not there is all taken away, or all put in', () => {
  expect(said(undefined, { a: 1 })).toEqual(['+{', '+  "a": 1', '+}']);
  expect(said({ a: 1 }, undefined)).toEqual(['-{', '-  "a": 1', '-}']);
  expect(said(undefined, undefined)).toEqual([]);
});

test('an element in the middle is one line', () => {
  expect(said([1, 2, 3], [1, 3])).toEqual([' [', '   1', '-  2', '   3', ' ]']);
});

test('what is too long to compare line by line is still shown whole', () => {
  const many = (from: number) => Array.from({ length: 2000 }, (_, n) => from + n);
  const lines = compare(many(0), many(10_000));
  expect([lines.filter(({ kind }) => kind === 'removed').length, lines.filter(({ kind }) => kind === 'added').length]).toEqual([2000, 2000]);
});

test('what is far from any change is folded, and counted', () => {
  const numbers = Array.from({ length: 20 }, (_, n) => n);
  const parts = fold(compare(numbers, [...numbers.slice(0, 10), 'ten', ...numbers.slice(11)]), 2);
  expect(parts.map((part) => ('hidden' in part ? part.hidden : part.lines.length))).toEqual([9, 6, 8]);
});
