import clsx from 'clsx';
import type { Tone } from '../../../ui/badge';
import type { Cell, Standing } from './matrix';

/** How each standing is told: in a word, by a shape and by a colour. */
export const standings: Record<Standing, { label: string; tone: Tone; colour: string; meaning: string }> = {
  denied: { label: 'denied', tone: 'neutral', colour: 'text-line-strong', meaning: 'nothing' },
  filtered: { label: 'row-filtered', tone: 'info', colour: 'text-info', meaning: 'the rows that policies admit' },
  exempt: { label: 'allowed', tone: 'neutral', colour: 'text-muted', meaning: 'as its owner, past policies on purpose, or where there are no rows' },
  granted: { label: 'allowed', tone: 'warn', colour: 'text-warn', meaning: 'every row, to a role of the server’s own' },
  open: { label: 'allowed past any policy', tone: 'bad', colour: 'text-bad', meaning: 'every row, to roles that users come as' },
};

/** The shapes, to be had by {@link Glyph}; once on a page. */
export function Shapes() {
  return (
    <svg className="absolute size-0" aria-hidden>
      <symbol id="cell-denied" viewBox="0 0 16 16"><path d="M5 8h6" stroke="currentColor" strokeWidth="2" strokeLinecap="round" /></symbol>
      <symbol id="cell-filtered" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="1.6" /><path d="M8 3a5 5 0 0 1 0 10z" fill="currentColor" /></symbol>
      <symbol id="cell-exempt" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.6" fill="currentColor" /></symbol>
      <symbol id="cell-granted" viewBox="0 0 16 16"><rect x="2.8" y="2.8" width="10.4" height="10.4" rx="2" fill="currentColor" /></symbol>
      <symbol id="cell-open" viewBox="0 0 16 16"><path d="M8 1.6 15 14H1z" fill="currentColor" /></symbol>
      <symbol id="cell-part" viewBox="0 0 16 16"><circle cx="13.4" cy="13.4" r="2.4" fill="currentColor" /></symbol>
    </svg>
  );
}

/** The shape of a standing; with a dot where it is of some columns only. It says nothing to those who do not see it. */
export function Glyph({ standing, part, className = 'size-4' }: { standing: Standing; part?: boolean; className?: string }) {
  return (
    <svg aria-hidden className={clsx('inline-block shrink-0 overflow-visible', standings[standing].colour, className)}>
      <use href={`#cell-${standing}`} />
      {part && <use href="#cell-part" />}
    </svg>
  );
}

/** A cell in words. */
export function told(cell: Cell): string {
  return `${cell.role} ${cell.command}: ${standings[cell.standing].label}${cell.columns ? ', some columns' : ''}`;
}

export function Legend() {
  const shown: Standing[] = ['denied', 'filtered', 'exempt', 'granted', 'open'];
  return (
    <ul aria-label="What the shapes mean" className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {shown.map((standing) => <li key={standing} className="flex items-center gap-1.5"><Glyph standing={standing} /><span><b className="font-medium text-ink">{standings[standing].label}</b>: {standings[standing].meaning}</span></li>)}
      <li className="flex items-center gap-1.5"><Glyph standing="filtered" part /><span>of some columns only</span></li>
    </ul>
  );
}
