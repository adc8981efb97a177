// The chain of a real server (made by `vital up`, changes with an erasure, and text beyond ASCII among them), as it is and tampered with.
import { describe, expect, test } from 'vitest';
import { ChainWalk, chainStart, checkRow, microseconds, type AuditRow, type Link } from './audit-chain';
import fixture from './testdata/audit-chain.json';

const { rows, head }: { rows: AuditRow[]; head: Link } = fixture;
const tenant = rows[0]!.organization_id;
const erased = rows.find((row) => row.erased_at !== null)!;
const recorded = rows.find((row) => row.action === 'erased')!;

/** What is found in a chain, its rows in portions as pages come. */
async function walked(chain: AuditRow[], end: Link | undefined = head): Promise<string[]> {
  const walk = new ChainWalk(tenant);
  for (let at = 0; at < chain.length; at += 4) await walk.follow(chain.slice(at, at + 4));
  walk.end(end);
  expect(walk.found).toBe(walk.findings.length);
  return walk.findings.map(({ kind, seq }) => `${kind} ${seq}`);
}

const edited = (seq: number, change: Partial<AuditRow>): AuditRow[] => rows.map((row) => (row.seq === seq ? { ...row, ...change } : row));
const without = (...seqs: number[]): AuditRow[] => rows.filter(({ seq }) => !seqs.includes(seq));

describe('a chain', () => {
  test('as the server wrote it is whole', async () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.some(({ reason }) => /[^\u0000-\u00ff]/.test(reason ?? ''))).toBe(true);
    const walk = new ChainWalk(tenant);
    await walk.follow(rows);
    walk.end(head);
    expect(walk).toMatchObject({ findings: [], found: 0, rows: rows.length, upTo: head, firstBroken: undefined });
  });

  test.each<[string, Partial<AuditRow>]>([
    ['action', { action: 'updated' }], ['actor', { actor_id: 'a0000000-0000-4000-8000-000000000001' }], ['actor role', { actor_role: null }], ['database role', { database_role: 'postgres' }],
    ['entity', { entity: 'tool' }], ['id of the entity', { entity_id: null }], ['request', { request_id: 'x' }], ['time, by a microsecond', { created_at: '2026-11-30T22:27:09.719806+00:00' }],
    ['commitment', { commitment: `\\x${'11'.repeat(32)}` }],
  ])('with an edited %s is broken there', async (_name, change) => {
    const found = await walked(edited(3, change));
    expect(found[0]).toBe('row_edited 3');
    expect(found.slice(1)).toEqual('commitment' in change ? ['content_edited 3'] : []);
  });

  test.each<[string, Partial<AuditRow>]>([['changes', { changes_text: '{"new": null, "old": null}' }], ['reason', { reason: 'because' }], ['salt', { salt: '\\x00' }]])('with edited %s is broken there', async (_name, change) => {
    expect(await walked(edited(4, change))).toEqual(['content_edited 4']);
  });

  test('with a row edited and its hash made to fit is broken at the row that follows it', async () => {
    const hash = `\\x${'ab'.repeat(32)}`;
    expect(await walked(edited(5, { hash }))).toEqual(['row_edited 5', 'row_misplaced 6']);
  });

  test('with rows deleted lacks them, at the start, in between and at the end', async () => {
    expect(await walked(without(1, 2))).toEqual(['rows_missing 1']);
    expect(await walked(without(7))).toEqual(['rows_missing 7']);
    expect(await walked(without(head.seq))).toEqual([`rows_missing ${head.seq}`, `erasure_unrecorded ${erased.seq}`]); // the last row records it
    expect(await walked([])).toEqual(['rows_missing 1']);
  });

  test('with two rows that changed places is broken at both', async () => {
    const [first, second] = [rows[5]!, rows[6]!];
    const swapped = edited(first.seq, { ...second, seq: first.seq }).map((row) => (row.id === second.id && row.seq === second.seq ? { ...first, seq: second.seq } : row));
    const found = await walked(swapped);
    expect(found).toContain(`row_edited ${first.seq}`);
    expect(found).toContain(`row_misplaced ${first.seq}`);
    expect(found).toContain(`row_edited ${second.seq}`);
  });

  test('with a row of another chain is broken there', async () => {
    expect(await walked(edited(2, { organization_id: '00000000-0000-0000-0000-000000000001' }))).toEqual(['foreign_row 2', 'row_edited 2']);
  });

  test('with a head elsewhere than its end is broken at the end', async () => {
    expect(await walked(rows, { ...head, hash: chainStart.hash })).toEqual([`head_broken ${head.seq}`]);
    expect(await walked(rows, { ...head, seq: head.seq - 1 })).toEqual([`head_broken ${head.seq}`]);
    const walk = new ChainWalk(tenant);
    await walk.follow(rows);
    walk.end(undefined);
    expect(walk.findings).toMatchObject([{ kind: 'head_broken' }]);
  });
});

describe('an erasure', () => {
  test('is no break where a later row records it', async () => {
    expect((await checkRow(erased)).state).toBe('erased');
    expect(recorded.entity_id).toBe(erased.id);
  });

  test('that is not marked, or marked of what still holds something, is one', async () => {
    expect(await walked(edited(erased.seq, { erased_at: null }))).toEqual([`erasure_unmarked ${erased.seq}`]);
    expect(await walked(edited(4, { erased_at: erased.erased_at }))).toEqual(['erasure_unmarked 4']);
  });

  test('that no row records is one', async () => {
    expect(await walked(edited(4, { changes_text: null, reason: null, salt: null, erased_at: erased.erased_at }))).toEqual(['erasure_unrecorded 4']);
  });
});

describe('a single row', () => {
  test('is verified with the row before it, and unlinked without', async () => {
    expect((await checkRow(rows[0]!, chainStart)).state).toBe('verified');
    expect((await checkRow(rows[9]!, rows[8])).state).toBe('verified');
    expect((await checkRow(rows[9]!)).state).toBe('unlinked');
    expect((await checkRow(rows[9]!, rows[7])).state).toBe('broken');
  });

  test('whose columns are no hex and no time is broken, and no error', async () => {
    expect((await checkRow({ ...rows[9]!, previous_hash: 'zz', created_at: 'infinity', salt: '' }, rows[8])).state).toBe('broken');
  });
});

test('many findings are counted, and no more than some are kept', async () => {
  const walk = new ChainWalk(tenant);
  await walk.follow(Array.from({ length: 300 }, (_, n) => ({ ...rows[0]!, seq: 2 * n + 2 })));
  expect(walk.found).toBeGreaterThan(300);
  expect(walk.findings).toHaveLength(200);
  expect(walk.firstBroken).toBe(1);
});

test.each([
  ['2026-11-30T22:27:09.719805+00:00', '1796077629719805'], ['2026-11-30T22:27:09+00:00', '1796077629000000'], ['2026-11-30T23:27:09.5+01:00', '1796077629500000'],
  ['2026-11-30 22:27:09.000001+00', '1796077629000001'], ['1969-12-31T23:59:59.999999+00:00', '-1'],
])('%s is %s microseconds', (at, expected) => expect(microseconds(at)).toBe(expected));

describe('a sealed row', () => {
  const sealing: Partial<AuditRow> = { changes_text: null, reason: null, salt: null, sealed_key: '5ea1ed00-0000-4000-8000-000000000000' };

  test('is no break, and proves the rows around it', async () => {
    expect(await walked(edited(4, sealing))).toEqual([]);
    expect((await checkRow(edited(4, sealing)[3]!, rows[2])).state).toBe('sealed');
  });

  test('that was edited, moved or holds something in clear is one', async () => {
    expect(await walked(edited(4, { ...sealing, action: 'deleted' }))).toEqual(['row_edited 4']);
    expect(await walked(edited(4, { ...sealing, reason: 'because' }))).toEqual(['sealing_broken 4']);
    expect(await walked(edited(4, { ...sealing, erased_at: '2026-11-30T22:27:09.719806+00:00' }))).toEqual(['sealing_broken 4']);
    expect((await checkRow(edited(4, sealing)[3]!, chainStart)).state).toBe('broken');
  });
});
