import { ChevronRight } from 'lucide-react';
import { Badge } from '../../ui/badge';

/** One thing that must be mended, as a run keeps it. */
export interface Finding { check: string; object: string; detail: string }

/** So many are shown at once; more are folded, object by object. */
const few = 12;

/** Findings by the object they are of, the worst object first: one hole lets many attacks through. */
export function Findings({ findings, label }: { findings: Finding[]; label: string }) {
  const objects = [...new Set(findings.map(({ object }) => object))]
    .map((object) => ({ object, found: findings.filter((finding) => finding.object === object) })).sort((a, b) => b.found.length - a.found.length);
  return (
    <ul aria-label={label} className="flex flex-col divide-y divide-line">
      {objects.map(({ object, found }) => (
        <li key={object}>
          <details open={findings.length <= few} className="group">
            <summary className="flex items-center gap-2.5 px-4 py-2.5 hover:bg-sunken/60"><ChevronRight className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90" aria-hidden /><code className="min-w-0 grow text-xs font-semibold wrap-anywhere">{object}</code><Badge tone="bad">{found.length} found</Badge></summary>
            <ul className="flex flex-col gap-2 pt-1 pr-4 pb-3 pl-10 text-sm">
              {found.map(({ check, detail }, place) => (
                <li key={place} className="grid gap-x-4 sm:grid-cols-[minmax(0,14rem)_minmax(0,1fr)]"><span className="font-mono text-xs leading-5 text-muted wrap-anywhere">{check}</span><span className="break-words whitespace-pre-wrap">{detail}</span></li>
              ))}
            </ul>
          </details>
        </li>
      ))}
    </ul>
  );
}
