import clsx from 'clsx';
import { useMemo } from 'react';
import { compare, fold, type Line } from './diff-lines';

const marks = { same: ' ', removed: '−', added: '+' };
const looks = { same: 'text-muted', removed: 'bg-bad-soft text-bad', added: 'bg-ok-soft text-ok' };

/** What differs between two values, as lines of JSON: `from` and `to` say what they are. undefined is nothing at all. */
export function Diff({ before, after, from, to }: { before: unknown; after: unknown; from: string; to: string }) {
  const parts = useMemo(() => fold(compare(before, after)), [before, after]);
  const same = parts.every((part) => 'hidden' in part);
  return (
    <figure className="min-w-0 overflow-hidden rounded-lg border border-line bg-surface text-left">
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 border-b border-line bg-sunken px-3 py-1.5 text-xs">
        <span className="text-bad"><b aria-hidden className="font-mono">−</b> {from}</span>
        <span className="text-ok"><b aria-hidden className="font-mono">+</b> {to}</span>
      </figcaption>
      {same ? <p className="px-3 py-4 text-sm text-muted">They are the same.</p> : (
        <div className="max-h-96 overflow-auto py-1 font-mono text-xs leading-relaxed" tabIndex={0} role="region" aria-label={`What differs between ${from} and ${to}`}>
          <div className="w-max min-w-full">
            {parts.map((part, at) => ('hidden' in part ? <p key={at} className="border-y border-line bg-sunken px-3 py-0.5 text-muted first:border-t-0 last:border-b-0">{part.hidden === 1 ? '1 line' : `${part.hidden} lines`} the same</p>
              : part.lines.map((line, n) => <Row key={`${at}.${n}`} {...line} />)))}
          </div>
        </div>
      )}
    </figure>
  );
}

function Row({ kind, text }: Line) {
  const Element = kind === 'removed' ? 'del' : kind === 'added' ? 'ins' : 'span';
  return (
    <Element className={clsx('block px-3 whitespace-pre no-underline', looks[kind])}>
      <span aria-hidden className="mr-2 select-none">{marks[kind]}</span>
      {kind !== 'same' && <span className="sr-only">{kind}: </span>}{text}
    </Element>
  );
}
