import { CircleHelp, Eraser, Link2Off, Lock, ShieldAlert, ShieldCheck } from 'lucide-react';
import type { RowCheck } from '../../../api/audit-chain';
import { Badge, type Tone } from '../../../ui/badge';

const marks: Record<RowCheck['state'] | 'unknown' | 'after', { label: string; tone: Tone; icon: typeof ShieldCheck; why: string }> = {
  verified: { label: 'Verified', tone: 'ok', icon: ShieldCheck, why: 'Recomputed in this browser: the row is what its hash says, and follows the row before it.' },
  erased: { label: 'Erased', tone: 'info', icon: Eraser, why: 'Changes and reason were erased; the row itself is what its hash says, and follows the row before it.' },
  sealed: { label: 'Sealed', tone: 'info', icon: Lock, why: 'Changes and reason are sealed with the tenant’s key, and not checked here; the row itself is what its hash says, and follows the row before it.' },
  broken: { label: 'Broken', tone: 'bad', icon: ShieldAlert, why: '' },
  after: { label: 'After a break', tone: 'warn', icon: Link2Off, why: '' },
  unlinked: { label: 'Not checkable here', tone: 'neutral', icon: CircleHelp, why: 'The row before it could not be read.' },
  unknown: { label: 'Not checkable here', tone: 'neutral', icon: CircleHelp, why: 'Browsers compute hashes for pages served over https alone.' },
};

/** What recomputing a row came to. `brokenAt` is the first break that is known: a row behind it proves nothing of what was before. */
export function Mark({ seq, check, brokenAt }: { seq: number; check: RowCheck | undefined; brokenAt: number | undefined }) {
  const after = brokenAt !== undefined && seq > brokenAt;
  const state = !check ? 'unknown' : check.state !== 'broken' && after ? 'after' : check.state;
  const { label, tone, icon: Icon, why } = marks[state];
  const said = state === 'broken' ? check!.findings.map(({ what }) => what).join(' ') : state === 'after' ? `The row itself is as it was written, but the chain is broken at row ${brokenAt}.` : why;
  return <span title={said}><Badge tone={tone}><Icon className="size-3.5" aria-hidden />{label}</Badge></span>;
}
