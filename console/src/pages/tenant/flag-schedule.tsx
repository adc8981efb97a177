import { CalendarPlus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest } from '../../session/clients';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Field, Input, Select } from '../../ui/field';
import { Failure } from '../../ui/notice';
import { localTime, momentOf, type Flag, type Override } from '../flags/model';
import { changesOf, OverrideFields, useDraft, type Changes } from '../flags/override-form';
import { RunAt } from '../flags/schedule';

/** Has the override changed at a time. */
export function ScheduleOverride({ flag, override }: { flag: Flag; override: Override | undefined }) {
  return (
    <Dialog trigger={<Button size="small" icon={<CalendarPlus className="size-3.5" aria-hidden />}>Schedule a change</Button>} title="Schedule a change" description="It is made in your name, if you are still an admin then.">
      {(close) => <ScheduleForm flag={flag} override={override} close={close} />}
    </Dialog>
  );
}

function ScheduleForm({ flag, override, close }: { flag: Flag; override: Override | undefined; close: () => void }) {
  const { draft, change } = useDraft(override);
  const [away, setAway] = useState(false);
  const [at, setAt] = useState(() => localTime(new Date(Date.now() + 86_400_000).toISOString()));
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState<Error>();
  const schedule = useChange((changes: Changes | null) => told(rest.rpc('schedule_tenant_feature', { p_flag_key: flag.flag_key, p_changes: changes, p_run_at: momentOf(at)!, p_reason: reason.trim() || undefined })), () => 'The change is scheduled');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      setWrong(undefined);
      schedule.mutate(away ? null : changesOf(draft, override), { onSuccess: close });
    } catch (error) {
      setWrong(error as Error);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <RunAt value={at} set={setAt} />
      <Field label="Change">{(p) => <Select {...p} value={away ? 'away' : 'set'} onChange={(event) => setAway(event.target.value === 'away')}><option value="set">Set the override</option><option value="away">Back to the default</option></Select>}</Field>
      {!away && <OverrideFields flag={flag} draft={draft} change={change} />}
      <Field label="Reason (optional)">{(p) => <Input {...p} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
      {(wrong ?? schedule.error) && <Failure error={(wrong ?? schedule.error)!} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={schedule.isPending}>Schedule</Button></div>
    </form>
  );
}
