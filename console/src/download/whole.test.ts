import { expect, test } from 'vitest';
import { watched } from './whole';

/** The end of a zip file without a comment. */
const end = [0x50, 0x4b, 5, 6, ...Array.from({ length: 18 }, (_, n) => n)];
const start = [0x50, 0x4b, 3, 4, 1, 2, 3];

/** Has pieces arrive, and tells what was counted and handed on. */
async function arrive(...pieces: number[][]) {
  const counts: number[] = [];
  const body = new ReadableStream<Uint8Array>({ start(to) { for (const piece of pieces) to.enqueue(new Uint8Array(piece)); to.close(); } });
  const passed = await new Response(watched(body, (bytes) => counts.push(bytes)).stream).arrayBuffer();
  return { counts, passed: [...new Uint8Array(passed)] };
}

test('all of an archive is handed on, and counted', async () => {
  expect(await arrive(start, end)).toEqual({ counts: [7, 29], passed: [...start, ...end] });
});

test('its end may come in pieces of any size', async () => {
  expect((await arrive(...[...start, ...end].map((byte) => [byte]))).passed).toEqual([...start, ...end]);
  expect((await arrive([...start, ...end.slice(0, 3)], end.slice(3, 20), end.slice(20))).counts.at(-1)).toBe(29);
});

test.each([
  ['nothing', []], ['less than an end', [end.slice(0, 21)]], ['an end that lacks its last byte', [start, end.slice(0, -1)]], ['the beginning', [start, start, start, start]],
])('%s is no archive', async (_, pieces) => {
  await expect(arrive(...pieces)).rejects.toMatchObject({ code: 'download_unfinished' });
});

test('why it was cut off is known, whatever whoever took it tells', async () => {
  const left = new Error('the tenant was left');
  const { stream, failure } = watched(new ReadableStream({ pull(to) { to.error(left); } }), () => {});
  await new Response(stream).blob().catch(() => {});
  expect(failure()).toBe(left);
});

test('what nobody takes any more is not asked for any more', async () => {
  let cancelled: unknown;
  const body = new ReadableStream<Uint8Array>({ pull(to) { to.enqueue(new Uint8Array(start)); }, cancel(reason) { cancelled = reason; } });
  await watched(body, () => {}).stream.cancel('enough');
  expect(cancelled).toBe('enough');
});
