import type { ReactNode } from 'react';
import { Badge } from '../../../ui/badge';
import { Sheet } from '../../../ui/sheet';
import { layOut } from './expression';
import { Glyph, standings } from './glyph';
import { cellKey, type Cell, type MatrixObject, type Policy } from './matrix';
import { Verdict, type Proof } from './proof';

const rowSecurity: Record<string, string> = {
  off: 'off: a privilege is all it takes', enabled: 'on, and not for its owner', forced: 'on, and forced on its owner too',
};

/** What decides about a cell; `go` shows another of the same object. */
export function CellPanel({ object, cell, proof, go, close }: { object: MatrixObject; cell: Cell; proof: Proof | null | undefined; go: (cell: Cell) => void; close: () => void }) {
  const standing = standings[cell.standing];
  return (
    <Sheet open onOpenChange={(open) => { if (!open) close(); }} title={<span className="font-mono text-sm">{object.name}</span>} description={<><b className="font-medium text-ink">{cell.role}</b> · {cell.command}</>}>
      <section aria-label="Decision">
        <div className="flex items-center gap-2"><Badge tone={standing.tone}><Glyph standing={cell.standing} className="size-3.5" />{standing.label}</Badge><span className="text-sm">{cell.reason}</span></div>
        {cell.standing === 'open' && <p className="mt-2 rounded-lg bg-bad-soft px-3 py-2 text-sm text-bad">Whoever comes as {cell.role} gets at the rows of every tenant here. {remedy(object)}</p>}
      </section>
      {cell.columns && <Part title="On these columns only"><p className="flex flex-wrap gap-1.5">{cell.columns.map((column) => <code key={column} className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">{column}</code>)}</p></Part>}
      <Policies policies={cell.policies} reason={cell.reason} />
      <Part title={`Every command, as ${cell.role}`}>
        <ul className="flex flex-wrap gap-1.5">{[...object.cells.values()].filter(({ role }) => role === cell.role).map((other) => <Jump key={other.command} cell={other} label={other.command} current={other === cell} go={go} />)}</ul>
      </Part>
      <Part title={`${cell.command}, as every role`}>
        <ul className="flex flex-wrap gap-1.5">{[...object.cells.values()].filter(({ command }) => command === cell.command).map((other) => <Jump key={other.role} cell={other} label={other.role} current={other === cell} go={go} />)}</ul>
      </Part>
      <Part title="The object"><About object={object} /></Part>
      {object.section === 'relations' && <Part title="Last proof"><Verdict proof={proof} object={object.name} /></Part>}
    </Sheet>
  );
}

function remedy({ rowSecurity, kind }: MatrixObject): string {
  if (rowSecurity === 'off') return 'Enable and force row-level security and write policies, or revoke the privilege.';
  return kind.endsWith('view') ? 'Make the view read with the rights of who asks (security_invoker), or revoke the privilege.' : 'Revoke the privilege, or write policies that bind the role.';
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section><h3 className="mb-2 text-xs font-semibold text-muted">{title}</h3>{children}</section>;
}

function Policies({ policies, reason }: { policies: Policy[]; reason: string }) {
  if (policies.length === 0) return <Part title="Policies"><p className="text-sm text-muted">{reason === 'no policy for this role and command' ? 'None is for this role and command, so nothing is left.' : 'None is asked.'}</p></Part>;
  const restrictive = policies.some(({ permissive }) => !permissive);
  return (
    <Part title={policies.length === 1 ? 'The policy that decides' : `The ${policies.length} policies that decide`}>
      {policies.length > 1 && <p className="mb-2 text-sm text-muted">A row is reached when one of them{restrictive ? ' that is permissive, and every restrictive one,' : ''} is true of it.</p>}
      <ul className="flex flex-col gap-3">{policies.map((policy) => <PolicyCard key={`${policy.table} ${policy.name}`} policy={policy} />)}</ul>
    </Part>
  );
}

function PolicyCard({ policy }: { policy: Policy }) {
  return (
    <li className="rounded-lg border border-line">
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-2">
        <h4 className="font-mono text-xs font-semibold break-all">{policy.name}</h4>
        <span className="flex items-center gap-2 text-xs text-muted">on {policy.table}{!policy.permissive && <Badge tone="warn">restrictive</Badge>}</span>
      </div>
      <dl className="flex flex-col gap-2 px-3 py-2.5">
        {policy.using !== undefined && <Expression title="USING" means="rows it may reach" of={policy.using} />}
        {policy.check !== undefined && <Expression title="WITH CHECK" means="rows it may leave" of={policy.check} />}
      </dl>
    </li>
  );
}

function Expression({ title, means, of }: { title: string; means: string; of: string }) {
  return (
    <div>
      <dt className="text-[11px] text-muted"><b className="font-semibold">{title}</b> · {means}</dt>
      <dd><pre tabIndex={0} aria-label={title} className="mt-1 overflow-x-auto rounded-md bg-sunken px-2.5 py-2 font-mono text-xs leading-relaxed">{layOut(of)}</pre></dd>
    </div>
  );
}

function Jump({ cell, label, current, go }: { cell: Cell; label: string; current: boolean; go: (cell: Cell) => void }) {
  return (
    <li>
      <button type="button" aria-current={current || undefined} onClick={() => go(cell)}
        className="inline-flex h-8 items-center gap-1.5 rounded-lg border border-line px-2 text-xs hover:bg-sunken aria-[current]:border-accent aria-[current]:bg-accent-soft aria-[current]:text-accent-ink">
        <Glyph standing={cell.standing} part={cell.columns !== null} className="size-3.5" />{label}<span className="sr-only"> {standings[cell.standing].label}</span>
      </button>
    </li>
  );
}

function About({ object }: { object: MatrixObject }) {
  const facts: [string, ReactNode][] = [
    ['Kind', object.kind], ['Owner', object.owner && <code className="font-mono text-xs">{object.owner}</code>],
    ['Row-level security', object.rowSecurity && rowSecurity[object.rowSecurity]],
    ['Acts as', object.runsAs && (object.runsAs === 'definer' ? 'its owner' : 'who asks')], ['Volatility', object.volatility],
  ];
  return (
    <dl className="grid grid-cols-[10rem_minmax(0,1fr)] gap-y-1.5 text-sm">
      {facts.filter(([, value]) => value).map(([fact, value]) => <div key={fact} className="contents"><dt className="text-muted">{fact}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

/** The cell of an object by what the address says. */
export function cellAt(object: MatrixObject | undefined, role: string, command: string): Cell | undefined {
  return object?.cells.get(cellKey(role, command));
}
