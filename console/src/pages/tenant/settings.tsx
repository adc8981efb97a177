import { useBlocker } from '@tanstack/react-router';
import { VitalError } from '@vital-db/client';
import { useRole } from '@vital-db/client/react';
import { LockKeyhole } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/dialog';
import { Input } from '../../ui/field';
import { Page } from '../../ui/page';
import { Empty, Loading, Problem } from '../../ui/state';
import { Conflict } from './settings/conflict';
import { fields } from './settings/draft';
import { useEdit, useStored, type Edit } from './settings/edit';
import { Everything } from './settings/everything';
import { Retention } from './settings/retention';
import { Compliance, Limits, Look, Offer } from './settings/sections';

/** How a tenant is set up. For its admins. */
export function Settings() {
  const admin = useRole('admin');
  return (
    <Page title="Settings" description="How this tenant is set up. Every page its members have open follows at once.">
      {admin ? <Stored /> : <Empty icon={<LockKeyhole className="size-5" />} title="Only admins see the settings">Ask an owner or admin of this tenant, if something should be another way.</Empty>}
    </Page>
  );
}

function Stored() {
  const { data, error, isFetching, refetch, queryKey } = useStored();
  if (data) return <Form stored={data} queryKey={queryKey} />;
  if (error) return <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} />;
  return <><Loading label="Loading the settings…" className="h-64" /><Loading className="h-40" /></>;
}

function Form({ stored, queryKey }: { stored: Parameters<typeof useEdit>[0]; queryKey: readonly unknown[] }) {
  const edit = useEdit(stored, queryKey);
  const { save, elsewhere } = edit;
  // What stands at the fields, and that somebody was faster, is told where it belongs.
  const told = save.error instanceof VitalError && (save.error.code === 'precondition_failed' || (save.error.errors.length > 0 && elsewhere.length === 0));
  return (
    <>
      <Conflict edit={edit} />
      <Look edit={edit} />
      <Offer edit={edit} />
      <Limits edit={edit} />
      <Compliance edit={edit} />
      <Retention />
      <Everything />
      {save.error && !told && <Problem error={save.error} title="The settings were not saved" />}
      {elsewhere.length > 0 && <ul className="text-sm text-bad">{elsewhere.map(({ path, message }) => <li key={path}><span className="font-mono">{path}</span> {message}</li>)}</ul>}
      <SaveBar edit={edit} />
      <Leaving dirty={edit.mine.length > 0} />
    </>
  );
}

/** What was changed and is not saved yet. */
function SaveBar({ edit: { mine, wrong, conflict, savable, draft, save, discard } }: { edit: Edit }) {
  const [reason, setReason] = useState('');
  if (mine.length === 0 && conflict.length === 0) return null;
  const faulty = Object.keys(wrong).length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ draft, reason: reason.trim() }, { onSuccess: () => setReason('') });
  };
  return (
    <form onSubmit={submit} aria-label="Unsaved changes" className="sticky bottom-3 z-20 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-card border border-line-strong bg-raised px-4 py-3 shadow-raised">
      <p className="min-w-0 grow basis-48 text-sm" aria-live="polite">
        <b className="font-semibold">{mine.length === 1 ? '1 unsaved change' : `${mine.length} unsaved changes`}</b>
        <span className="block truncate text-xs text-muted">{conflict.length > 0 ? 'Decide above what becomes of what somebody else changed.' : faulty > 0 ? <span className="text-bad">Something is not as it must be: see {Object.keys(wrong).map((name) => fields[name as keyof typeof fields].label).join(', ')}.</span> : mine.map((name) => fields[name].label).join(', ')}</span>
      </p>
      <Input aria-label="Reason (optional)" placeholder="Reason, for the audit log" value={reason} onChange={(event) => setReason(event.target.value)} maxLength={500} className="sm:!w-64" />
      <div className="flex gap-2">
        <Button onClick={discard}>Discard</Button>
        <Button type="submit" variant="primary" pending={save.isPending} disabled={!savable}>Save</Button>
      </div>
    </form>
  );
}

/** Asks before unsaved changes are left behind. */
function Leaving({ dirty }: { dirty: boolean }) {
  const blocker = useBlocker({ shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname, enableBeforeUnload: dirty, withResolver: true });
  return (
    <Confirm open={blocker.status === 'blocked'} onOpenChange={(open) => { if (!open) blocker.reset?.(); }} title="Leave without saving?" action="Leave"
      consequence="What you have changed on this page is not saved, and will be lost." onConfirm={async () => { blocker.proceed?.(); }} />
  );
}
