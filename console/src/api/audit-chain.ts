/**
 * The audit chain of a tenant, recomputed from the columns of its rows: what vital.audit_hash and vital.audit_commitment do in the
 * database and `vital audit verify` in Go, so that nothing the database says of itself need be believed. docs/reference/audit.md has the
 * findings. It knows nothing of where rows come from.
 */

/** A row of organization_audit_log as it was read: `changes_text` is the canonical text of `changes`; bytes are as `\x` and hex digits. */
export interface AuditRow {
  organization_id: string;
  seq: number;
  id: string;
  action: string;
  actor_id: string | null;
  actor_role: string | null;
  database_role: string;
  entity: string | null;
  entity_id: string | null;
  request_id: string | null;
  /** To the microsecond, with its offset from UTC. */
  created_at: string;
  changes_text: string | null;
  reason: string | null;
  salt: string | null;
  commitment: string;
  previous_hash: string;
  hash: string;
  erased_at: string | null;
  /** The key of the tenant that changes, reason and salt were sealed with: they are null then, and what they were is not checked here. */
  sealed_key: string | null;
}

/** The columns to select for {@link AuditRow}. */
export const auditColumns = 'organization_id,seq,id,action,actor_id,actor_role,database_role,entity,entity_id,request_id,created_at,changes_text:changes::text,reason,salt,commitment,previous_hash,hash,erased_at,sealed_key';

/** A place in a chain and the hash there. */
export interface Link { seq: number; hash: string }

/** Before the first row. */
export const chainStart: Link = { seq: 0, hash: `\\x${'00'.repeat(32)}` };

export type Kind = 'rows_missing' | 'row_edited' | 'row_misplaced' | 'content_edited' | 'erasure_unmarked' | 'erasure_unrecorded' | 'sealing_broken' | 'head_broken' | 'foreign_row';

/** One thing that is not as it must be, and at which place. */
export interface Finding { seq: number; kind: Kind; what: string }

export interface RowCheck {
  seq: number;
  /** `unlinked`: the row is what its hash says, but the row before was not at hand, so whether it follows that is not known. */
  state: 'verified' | 'erased' | 'sealed' | 'broken' | 'unlinked';
  findings: Finding[];
}

/** Whether this browser can compute hashes: it does so for pages served over https, or from this machine. */
export const canVerify = (): boolean => globalThis.crypto?.subtle !== undefined;

/** Checks one row against itself and, where it is known, against the row before it. */
export async function checkRow(row: AuditRow, before?: Link): Promise<RowCheck> {
  const [hash, commitment] = await Promise.all([rowHash(row), row.salt === null ? null : contentHash(row)]);
  const findings: Finding[] = [];
  const find = (kind: Kind, what: string) => findings.push({ seq: row.seq, kind, what });
  if (before) {
    const wrong = misplaced(row, before);
    if (wrong) findings.push(wrong);
  }
  if (hash !== row.hash) find('row_edited', 'A column of the row was edited: it does not have the hash it carries.');
  const nothing = row.changes_text === null && row.reason === null && row.salt === null;
  const marked = row.erased_at !== null;
  const sealed = row.sealed_key !== null;
  if (sealed && (!nothing || marked)) find('sealing_broken', 'The row is sealed and still holds something in clear, or is marked as erased.');
  else if (sealed) return { seq: row.seq, findings, state: findings.length > 0 ? 'broken' : 'sealed' };
  else if (nothing && !marked) find('erasure_unmarked', 'Changes and reason were erased, and the row is not marked as erased.');
  else if (!nothing && marked) find('erasure_unmarked', 'The row is marked as erased and still holds something.');
  else if (!nothing && commitment !== row.commitment) find('content_edited', 'Changes or reason were edited: they do not match the row’s commitment.');
  return { seq: row.seq, findings, state: findings.length > 0 ? 'broken' : marked ? 'erased' : before ? 'verified' : 'unlinked' };
}

/** Why the row does not follow the one before it, if it does not. */
function misplaced(row: AuditRow, before: Link): Finding | undefined {
  if (row.seq <= before.seq) return { seq: row.seq, kind: 'row_misplaced', what: 'A second row has the same place in the chain.' };
  if (row.seq > before.seq + 1) return { seq: before.seq + 1, kind: 'rows_missing', what: missing(before.seq + 1, row.seq - 1) };
  if (row.previous_hash !== before.hash) return { seq: row.seq, kind: 'row_misplaced', what: 'The row does not follow the one before it: one of them was inserted, moved or edited.' };
  return undefined;
}

export const missing = (from: number, to: number): string => (from === to ? `Row ${from} is missing.` : `Rows ${from} to ${to} are missing.`);

/** How many findings a walk keeps; more are counted. */
const keptFindings = 200;

/** A walk along one chain from its first row; `upTo` is how far it has come. */
export class ChainWalk {
  upTo: Link = chainStart;
  rows = 0;
  findings: Finding[] = [];
  /** Findings in all, those that were not kept too. */
  found = 0;
  /** Erased rows that no row has recorded yet: their ids and places. */
  #unrecorded = new Map<string, number>();

  constructor(readonly tenant: string) {}

  /** Goes on along rows in ascending order, the next of the chain. */
  async follow(rows: AuditRow[]): Promise<void> {
    const before = rows.map((_, i) => (i === 0 ? this.upTo : { seq: rows[i - 1]!.seq, hash: rows[i - 1]!.hash }));
    const checks = await Promise.all(rows.map((row, i) => checkRow(row, before[i])));
    checks.forEach(({ findings }, i) => {
      const row = rows[i]!;
      if (row.organization_id !== this.tenant) this.#find({ seq: row.seq, kind: 'foreign_row', what: 'The row is of another tenant’s chain.' });
      findings.forEach((finding) => this.#find(finding));
      if (row.action === 'erased' && row.entity === 'organization_audit_log' && row.entity_id !== null) this.#unrecorded.delete(row.entity_id);
      if (checks[i]!.state === 'erased') this.#unrecorded.set(row.id, row.seq);
      this.upTo = { seq: row.seq, hash: row.hash };
      this.rows += 1;
    });
  }

  /** Holds the end that was reached to where the database says that the chain ends, and says what no row has recorded. */
  end(head: Link | undefined): void {
    const { seq } = this.upTo;
    if (!head) this.#find({ seq, kind: 'head_broken', what: 'The chain has no head.' });
    else if (head.seq > seq) this.#find({ seq: seq + 1, kind: 'rows_missing', what: `The end of the chain is gone. ${missing(seq + 1, head.seq)}` });
    else if (head.seq < seq) this.#find({ seq: head.seq + 1, kind: 'head_broken', what: `Rows follow the chain’s head, which is at ${head.seq}, or the head was moved.` });
    else if (head.hash !== this.upTo.hash) this.#find({ seq, kind: 'head_broken', what: 'The chain’s head is not the hash of its last row.' });
    for (const place of this.#unrecorded.values()) this.#find({ seq: place, kind: 'erasure_unrecorded', what: 'Changes and reason were erased, and no row of the chain records that.' });
    this.#unrecorded.clear();
  }

  /** The first place that is broken, if one is. */
  get firstBroken(): number | undefined {
    return this.#first;
  }

  #first: number | undefined;

  #find(finding: Finding): void {
    this.found += 1;
    this.#first = Math.min(this.#first ?? Infinity, finding.seq);
    if (this.findings.length < keptFindings) this.findings.push(finding);
  }
}

/** vital.audit_hash. */
function rowHash(row: AuditRow): Promise<string> {
  const columns = [
    row.organization_id, String(row.seq), row.id, row.action, row.actor_id, row.actor_role, row.database_role, row.entity, row.entity_id, row.request_id,
    microseconds(row.created_at), row.commitment.slice(2),
  ];
  return sha256(bytes(row.previous_hash), ...columns.map(framed));
}

/** vital.audit_commitment. */
function contentHash(row: AuditRow): Promise<string> {
  return sha256(bytes(row.salt!), framed(row.changes_text), framed(row.reason));
}

const utf8 = new TextEncoder();

/** A value as `length:value,`, null as `-,`; the length is in bytes. */
function framed(value: string | null): Uint8Array {
  if (value === null) return utf8.encode('-,');
  const encoded = utf8.encode(`${value},`);
  return joined([utf8.encode(`${encoded.length - 1}:`), encoded]);
}

/** A time as microseconds since 1970. A Date knows milliseconds alone. */
export function microseconds(at: string): string {
  const parts = /^(.*:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)$/.exec(at);
  const seconds = parts ? Date.parse(`${parts[1]!.replace(' ', 'T')}${/^[+-]\d\d$/.test(parts[3]!) ? `${parts[3]}:00` : parts[3]}`) / 1000 : NaN;
  if (!parts || Number.isNaN(seconds)) return `no time: ${at}`; // hashes to nothing that was ever kept
  return String(BigInt(seconds) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(6, '0')));
}

/** `\x00ff` as bytes; of anything else none, which hashes to nothing that was ever kept. */
function bytes(hex: string): Uint8Array {
  const digits = /^\\x((?:[0-9a-f]{2})*)$/.exec(hex)?.[1] ?? '';
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

async function sha256(...parts: Uint8Array[]): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', joined(parts)));
  return `\\x${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
