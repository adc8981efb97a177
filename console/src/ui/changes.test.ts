import { describe, expect, test } from 'vitest';
import { changesOf } from './changes';

const parsed = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe('changesOf', () => {
  test('names the innermost places that differ', () => {
    expect(changesOf({ old: { a: { b: 1, c: 2 }, d: 1 }, new: { a: { b: 1, c: 3 }, d: 1 } })).toEqual([{ path: 'a.c', old: 2, new: 3 }]);
  });

  test.each(['__proto__', 'constructor', 'toString'])('hides nothing under %s, which every object has', (key) => {
    const [without, empty, full] = [parsed('{"x": {}}'), parsed(`{"x": {"${key}": {}}}`), parsed(`{"x": {"${key}": {"a": 1}}}`)];
    expect(changesOf({ old: without, new: empty })).toEqual([{ path: `x.${key}`, old: undefined, new: {} }]);
    expect(changesOf({ old: full, new: without })).toEqual([{ path: `x.${key}`, old: { a: 1 }, new: undefined }]);
    expect(changesOf({ old: empty, new: full })).toEqual([{ path: `x.${key}.a`, old: undefined, new: 1 }]);
  });
});
