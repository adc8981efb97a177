import { VitalError } from '@vital-db/client';
import { useUser } from '@vital-db/client/react';
import { useEffect, useState, type FormEvent } from 'react';
import { done, told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm } from '../../ui/dialog';
import { Diff } from '../../ui/diff';
import { Field, Input } from '../../ui/field';
import { Failure, Notice } from '../../ui/notice';
import { Time } from '../../ui/time';
import { isOver, overrideFields, picked, type Flag, type Override } from '../flags/model';
import { changesOf, draftOf, OverrideFields, useDraft } from '../flags/override-form';
import { usePeople } from '../flags/people';

/** What the tenant has of its own, and the form that changes it. */
export function OverrideCard({ flag, override }: { flag: Flag; override: Override | undefined }) {
  const back = useChange((reason: string) => done(rest.rpc('set_tenant_feature', { p_flag_key: flag.flag_key, p_changes: null, p_expected_version: override?.version, p_reason: reason || undefined })), () => 'It is back at the default');
  if (!flag.is_active) return <Card title="Override"><p className="text-sm text-muted">The flag is switched off for everybody: while it is, no tenant has it otherwise, and overrides cannot be changed.</p></Card>;
  return (
    <Card title="Override" description="What this tenant has instead of the rule and the default." actions={override && (
      <Confirm trigger={<Button size="small">Back to the default…</Button>} title="Back to the default?" action="Back to the default" reason="optional"
        consequence="The override is taken away, and the rule and the default decide again: at once, in every page that is open. Its history stays, and it can be put back from there." onConfirm={back.mutateAsync} />
    )}>
      <OverrideForm flag={flag} override={override} />
    </Card>
  );
}

/**
 * Says with each change which version it was made from. Where another was written meanwhile, nothing is lost: both are shown, and which
 * one holds is the user's to say.
 */
function OverrideForm({ flag, override }: { flag: Flag; override: Override | undefined }) {
  const [base, setBase] = useState(override);
  const { draft, setDraft, change } = useDraft(override);
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState<Error>();
  const save = useChange((changes: ReturnType<typeof changesOf>) => told(rest.rpc('set_tenant_feature', { p_flag_key: flag.flag_key, p_changes: changes, p_expected_version: base?.version ?? 0, p_reason: reason.trim() || undefined })),
    ({ version }) => (version === base?.version ? 'Nothing was changed' : `The override is at version ${version}`));
  const begin = (from: Override | undefined) => { setBase(from); setDraft(draftOf(from)); setReason(''); save.reset(); };
  const untouched = JSON.stringify(draft) === JSON.stringify(draftOf(base)) && reason === '';
  const elsewhere = override?.version !== base?.version && !save.isPending;
  useEffect(() => { if (elsewhere && untouched) begin(override); }); // nothing was typed that could be lost
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      setWrong(undefined);
      save.mutate(changesOf(draft, base), { onSuccess: begin });
    } catch (error) {
      setWrong(error as Error);
    }
  };
  const conflict = save.error instanceof VitalError && save.error.code === 'precondition_failed';
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" aria-label="Override">
      <Standing override={override} />
      {elsewhere && !untouched && <Meanwhile base={base} override={override} refused={conflict} mine={() => { setBase(override); save.reset(); }} theirs={() => begin(override)} />}
      <OverrideFields flag={flag} draft={draft} change={change} />
      <Field label="Reason" hint="Why it is so here. It is kept in the history and the audit log.">{(p) => <Input {...p} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
      {wrong && <Failure error={wrong} />}
      {save.error && !(conflict && elsewhere) && <Failure error={save.error} />}
      <div className="flex justify-end gap-2">
        {!untouched && <Button onClick={() => begin(override)}>Discard</Button>}
        <Button type="submit" variant="primary" pending={save.isPending} disabled={untouched}>{base ? 'Save override' : 'Set override'}</Button>
      </div>
    </form>
  );
}

function Standing({ override }: { override: Override | undefined }) {
  const user = useUser();
  const person = usePeople([override?.created_by ?? null]);
  if (!override) return <p className="text-sm text-muted">There is none: the rule and the default decide.</p>;
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-muted">
      <Badge tone="accent">version {override.version}</Badge>
      {isOver(override) && <Badge tone="warn">ran out</Badge>}
      <span><Time at={override.updated_at} /> by {override.created_by === user.id ? 'you' : <span className="break-all">{person(override.created_by)}</span>}</span>
      {override.reason && <span className="break-words">“{override.reason}”</span>}
    </p>
  );
}

function Meanwhile({ base, override, refused, mine, theirs }: { base: Override | undefined; override: Override | undefined; refused: boolean; mine: () => void; theirs: () => void }) {
  const person = usePeople([override?.created_by ?? null]);
  return (
    <Notice tone="warn" title={refused ? 'Not saved: somebody else was faster' : 'Somebody else has changed this meanwhile'}
      actions={<><Button size="small" onClick={theirs}>Take theirs</Button><Button size="small" onClick={mine}>Keep mine, to be saved over theirs</Button></>}>
      <p>{override ? `It is at version ${override.version} now, by ${person(override.created_by)}.` : 'The override was taken away.'} What you have typed is still below.</p>
      <Diff before={picked(base, overrideFields)} after={picked(override, overrideFields)} from="what you began with" to="what it is now" />
    </Notice>
  );
}
