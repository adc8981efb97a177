import { Badge } from './badge';

/** What was changed: old and new values by column, as the audit log keeps them. */
export interface Changes { old?: Record<string, unknown> | null; new?: Record<string, unknown> | null }

/** One place that differs; a path into what is nested is joined by dots. */
export interface Change { path: string; old?: unknown; new?: unknown }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an object itself has by a name: every one inherits a constructor, and such must hide no change. */
const own = (object: Record<string, unknown>, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** The places at which old and new differ, down to the innermost; of a row that was made or deleted, its columns that have a value. */
export function changesOf({ old: before, new: after }: Changes): Change[] {
  if (!before || !after) {
    return Object.entries(before ?? after ?? {}).filter(([, value]) => value !== null && !(isObject(value) && Object.keys(value).length === 0))
      .map(([path, value]) => ({ path, [before ? 'old' : 'new']: value }));
  }
  return differing(before, after, '');
}

function differing(before: Record<string, unknown>, after: Record<string, unknown>, under: string): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): Change[] => {
    const [a, b, path] = [own(before, key), own(after, key), `${under}${key}`];
    if (JSON.stringify(a) === JSON.stringify(b)) return [];
    if (isObject(a) && isObject(b)) return differing(a, b, `${path}.`);
    return [{ path, old: a, new: b }];
  });
}

const shown = (value: unknown): string => (typeof value === 'string' ? value || '""' : JSON.stringify(value, null, isObject(value) || Array.isArray(value) ? 1 : 0));

/** Old and new values beside each other; which is which is told by words and marks, not by colour alone. */
export function ChangeList({ changes }: { changes: Changes }) {
  const all = changesOf(changes);
  if (all.length === 0) return <p className="text-sm text-muted">No column differs.</p>;
  return (
    <dl className="divide-y divide-line overflow-hidden rounded-lg border border-line">
      {all.map((change) => (
        <div key={change.path} className="grid gap-x-4 gap-y-1 px-3 py-2 sm:grid-cols-[minmax(8rem,13rem)_minmax(0,1fr)]">
          <dt className="font-mono text-xs leading-5 break-words text-muted">{change.path}</dt>
          <dd className="flex min-w-0 flex-col gap-1 font-mono text-xs leading-5">
            {change.old !== undefined && change.old !== null && <Value sign="−" label="Before" className="bg-bad-soft text-bad" value={change.old} />}
            {change.new !== undefined && change.new !== null && <Value sign="+" label="After" className="bg-ok-soft text-ok" value={change.new} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ sign, label, className, value }: { sign: string; label: string; className: string; value: unknown }) {
  return (
    <span className={`flex gap-2 rounded px-2 ${className}`}>
      <span aria-hidden>{sign}</span><span className="sr-only">{label}: </span>
      <span className="min-w-0 break-words whitespace-pre-wrap">{shown(value)}</span>
    </span>
  );
}

/** The columns that were changed, in a line: for lists. */
export function ChangedColumns({ changes, most = 3 }: { changes: Changes; most?: number }) {
  const all = changesOf(changes);
  if (!changes.old || !changes.new) return <span className="text-muted">{all.length} {all.length === 1 ? 'column' : 'columns'}</span>;
  return (
    <span className="flex flex-wrap items-center gap-1">
      {all.slice(0, most).map(({ path }) => <code key={path} className="max-w-48 truncate rounded bg-sunken px-1.5 py-0.5 text-xs">{path}</code>)}
      {all.length > most && <Badge>+{all.length - most}</Badge>}
    </span>
  );
}
