import { ShieldAlert, ShieldCheck, ShieldQuestionMark } from 'lucide-react';
import clsx from 'clsx';
import type { ReactNode } from 'react';
import { canVerify, type Link } from '../../../api/audit-chain';
import { Badge } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Problem } from '../../../ui/state';
import { PlainTable } from '../../../ui/table';
import { clockTime } from '../../../ui/time';
import type { Entry } from './entries';
import type { Walk } from './walk';

const number = (value: number): string => value.toLocaleString('en');

/** How far the chain was checked here, and whether it ends where the database says. */
export function Verification({ walk, start, stop, rows, head, whole }: {
  walk: Walk | undefined; start: () => void; stop: () => void; rows: Entry[] | undefined; head: Link | undefined;
  /** The rows are a piece of the chain, and not picked from it. */
  whole: boolean;
}) {
  const walking = walk?.state === 'walking';
  return (
    <Card title="Hash chain" description="Each row carries the hash of the one before. They are recomputed here, in your browser, from the columns of the rows: what the database says of itself is not believed."
      actions={canVerify() && (walking ? <Button size="small" onClick={stop}>Stop</Button> : <Button size="small" onClick={start}>{walk ? 'Verify again' : 'Verify all'}</Button>)}>
      <div aria-live="polite" className="flex flex-col gap-3 text-sm">
        {walk ? <WalkLine walk={walk} /> : rows && <PageLine rows={rows} head={head} whole={whole} />}
      </div>
      {walking && <Progress rows={walk.chain.rows} of={walk.of} />}
      {walk?.error && walk.state === 'failed' && <Problem error={walk.error} retry={start} />}
      {walk && walk.chain.found > 0 && <Findings walk={walk} />}
    </Card>
  );
}

function Line({ tone, children }: { tone: 'ok' | 'bad' | 'none'; children: ReactNode }) {
  const Icon = { ok: ShieldCheck, bad: ShieldAlert, none: ShieldQuestionMark }[tone];
  return <p className="flex items-start gap-2.5"><Icon className={clsx('mt-0.5 size-4.5 shrink-0', { ok: 'text-ok', bad: 'text-bad', none: 'text-muted' }[tone])} aria-hidden /><span>{children}</span></p>;
}

function WalkLine({ walk: { state, chain, of, at } }: { walk: Walk }) {
  const rows = chain.rows === 0 ? 'No row' : `Rows 1 to ${number(chain.upTo.seq)}`;
  if (state === 'walking') return <Line tone="none">Checking: {number(chain.rows)} of {number(of)} rows so far, {chain.found === 0 ? 'all as they were written' : `${number(chain.found)} found not to be as they must`}.</Line>;
  const time = clockTime.format(at);
  if (chain.found > 0) return <Line tone="bad"><b className="font-semibold">The chain is broken at row {number(chain.firstBroken!)}.</b> {rows} were checked at {time}; what is behind row {number(chain.firstBroken!)} proves nothing of what was before it.</Line>;
  if (state === 'ended') return <Line tone="ok"><b className="font-semibold">The whole chain is as it was written.</b> {rows} were checked at {time}, and the head in the database, row {number(chain.upTo.seq)}, is the hash of the last.</Line>;
  return <Line tone="none">{rows} are as they were written. {state === 'stopped' ? 'It was stopped there' : 'It went no further'}, so nothing is known of the rows behind.</Line>;
}

/** Of the rows on the page alone. */
function PageLine({ rows, head, whole }: { rows: Entry[]; head: Link | undefined; whole: boolean }) {
  if (!canVerify()) return <Line tone="none">This browser computes hashes for pages that are served over https alone. <code className="text-xs">vital audit verify</code> checks the chain from the command line.</Line>;
  const broken = rows.filter(({ check }) => check?.state === 'broken');
  const [newest, oldest] = [rows[0], rows.at(-1)];
  if (!newest || !oldest) return <Line tone="none">{head && head.seq > 0 && whole ? `The rows are gone: the head in the database is row ${number(head.seq)}.` : 'There is nothing to check on this page.'}</Line>;
  if (broken.length > 0) return <Line tone="bad"><b className="font-semibold">The chain is broken at row {number(Math.min(...broken.flatMap(({ check }) => check!.findings.map(({ seq }) => seq))))}.</b> {broken.length === 1 ? 'One row' : `${broken.length} rows`} of this page {broken.length === 1 ? 'is' : 'are'} not as written. Verify all to see how far it reaches.</Line>;
  const checked = whole ? `Rows ${number(oldest.seq)} to ${number(newest.seq)} are as they were written, each behind the one before.` : `The ${rows.length} rows on this page are as they were written, each behind the one before.`;
  if (!whole || !head || newest.seq < head.seq) return <Line tone="ok">{checked} {head && `The chain goes on to row ${number(head.seq)}.`} Verify all checks every row.</Line>;
  if (newest.seq !== head.seq || newest.hash !== head.hash) return <Line tone="bad"><b className="font-semibold">The head in the database does not match:</b> it is at row {number(head.seq)}, and the last row is {number(newest.seq)}.</Line>;
  return <Line tone="ok">{checked} The head in the database, row {number(head.seq)}, is the hash of the last. {oldest.seq > 1 && 'Verify all checks the rows before.'}</Line>;
}

function Progress({ rows, of }: { rows: number; of: number }) {
  return <progress className="mt-3 block h-1.5 w-full accent-accent" aria-label="Rows checked" value={rows} max={Math.max(1, of)} />;
}

const names: Record<string, string> = {
  rows_missing: 'Rows missing', row_edited: 'Row edited', row_misplaced: 'Row misplaced', content_edited: 'Content edited', erasure_unmarked: 'Erasure unmarked', erasure_unrecorded: 'Erasure unrecorded', sealing_broken: 'Sealing broken',
  head_broken: 'Head broken', foreign_row: 'Foreign row',
};

function Findings({ walk: { chain } }: { walk: Walk }) {
  return (
    <div className="mt-4 rounded-lg border border-line">
      <PlainTable label="Findings" rows={chain.findings.map((finding, n) => ({ ...finding, n }))} rowKey={({ n }) => String(n)} columns={[
        { header: 'Row', align: 'right', cell: ({ seq }) => number(seq), className: 'w-16' },
        { header: 'Finding', cell: ({ kind }) => <Badge tone="bad">{names[kind]}</Badge> },
        { header: 'What', cell: ({ what }) => what },
      ]} />
      {chain.found > chain.findings.length && <p className="border-t border-line px-4 py-2 text-xs text-muted">The first {number(chain.findings.length)} of {number(chain.found)} are shown.</p>}
    </div>
  );
}
