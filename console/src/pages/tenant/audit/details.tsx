import type { ReactNode } from 'react';
import { ChangeList } from '../../../ui/changes';
import { exact } from '../../../ui/time';
import type { Entry } from './entries';

/** All that the log says of one change. */
export function EntryDetails({ entry, mark }: { entry: Entry; mark: ReactNode }) {
  return (
    <div className="flex flex-col gap-5">
      <dl className="grid gap-x-6 gap-y-3 text-sm sm:grid-cols-2">
        <Fact name="When">{exact.format(new Date(entry.created_at))}</Fact>
        <Fact name="Who">{entry.email ?? entry.actor_id ?? 'no session'}{entry.actor_role && <span className="text-muted"> as {entry.actor_role.replace('_', ' ')}</span>}</Fact>
        <Fact name="Why">{entry.reason ?? <span className="text-muted">{entry.erased_at ? 'erased' : entry.sealed_key ? 'sealed' : 'no reason was given'}</span>}</Fact>
        <Fact name="Request"><Code text={entry.request_id} /></Fact>
        <Fact name="Entity"><Code text={entry.entity && `${entry.entity} ${entry.entity_id ?? ''}`} /></Fact>
        <Fact name="Database login"><Code text={entry.database_role} /></Fact>
      </dl>
      <section>
        <h3 className="mb-1.5 text-xs font-semibold text-muted">Changes</h3>
        {entry.erased_at ? <p className="text-sm text-muted">They were erased on {exact.format(new Date(entry.erased_at))}.</p> : entry.sealed_key ? <p className="text-sm text-muted">They are sealed with the tenant’s key. Whoever operates the platform can open them (<code className="text-xs">vital audit list</code>), until that key is destroyed.</p> : entry.changes ? <ChangeList changes={entry.changes} /> : <p className="text-sm text-muted">No row was changed.</p>}
      </section>
      <section>
        <h3 className="mb-1.5 text-xs font-semibold text-muted">Chain</h3>
        <div className="flex flex-wrap items-center gap-2">{mark}</div>
        {entry.check && entry.check.findings.length > 0 && <ul className="mt-2 list-disc pl-5 text-sm text-bad">{entry.check.findings.map(({ kind, what }) => <li key={kind}>{what}</li>)}</ul>}
        <dl className="mt-3 grid gap-2 text-sm">
          <Fact name="Hash"><Code text={entry.hash.slice(2)} /></Fact>
          <Fact name="Hash of the row before"><Code text={entry.previous_hash.slice(2)} /></Fact>
        </dl>
      </section>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div className="min-w-0"><dt className="text-xs font-medium text-muted">{name}</dt><dd className="mt-0.5 break-words">{children}</dd></div>;
}

function Code({ text }: { text: string | null }) {
  return text ? <code className="text-xs break-all">{text}</code> : <span className="text-muted">–</span>;
}
