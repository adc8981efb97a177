import type { Json } from '@vital-db/client';
import { CalendarPlus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest } from '../../session/clients';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Field, Input, Select, TextArea } from '../../ui/field';
import { Failure } from '../../ui/notice';
import { asObject, defaultOf, localTime, momentOf, parsed, variantsOf, type Flag } from '../flags/model';
import { RunAt } from '../flags/schedule';

/** Has the definition changed at a time. */
export function ScheduleDefinition({ flag }: { flag: Flag }) {
  return (
    <Dialog trigger={<Button size="small" icon={<CalendarPlus className="size-3.5" aria-hidden />}>Schedule a change</Button>} title="Schedule a change" description="It is made in your name, if you still may then, and holds in every tenant.">
      {(close) => <ScheduleForm flag={flag} close={close} />}
    </Dialog>
  );
}

function ScheduleForm({ flag, close }: { flag: Flag; close: () => void }) {
  const [at, setAt] = useState(() => localTime(new Date(Date.now() + 86_400_000).toISOString()));
  const [what, setWhat] = useState(flag.is_active ? 'off' : 'on');
  const [variant, setVariant] = useState(defaultOf(flag) ?? '');
  const [fields, setFields] = useState('{\n  "owner": ""\n}');
  const [reason, setReason] = useState('');
  const implied = flag.flag_type === 'boolean' && Object.keys(asObject(flag.variants)).length === 0; // has on and off without saying so
  const [wrong, setWrong] = useState<Error>();
  const schedule = useChange((changes: Json) => told(rest.rpc('schedule_feature_flag', { p_flag_key: flag.flag_key, p_changes: changes, p_run_at: momentOf(at)!, p_reason: reason.trim() || undefined })), () => 'The change is scheduled');
  const changes = (): Json => {
    switch (what) {
      case 'on': case 'off': return { is_active: what === 'on' };
      case 'default': return implied ? { default_enabled: variant === 'on' } : { default_variant: variant || null };
      default: return parsed(fields, 'The change');
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      setWrong(undefined);
      schedule.mutate(changes(), { onSuccess: close });
    } catch (error) {
      setWrong(error as Error);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <RunAt value={at} set={setAt} />
      <Field label="Change">{(p) => (
        <Select {...p} value={what} onChange={(event) => setWhat(event.target.value)}>
          <option value="off">Switch off for everybody</option><option value="on">Switch on for everybody</option><option value="default">Another default variant</option><option value="fields">Other fields, as JSON</option>
        </Select>
      )}</Field>
      {what === 'default' && <Field label="Default variant">{(p) => <Select {...p} value={variant} onChange={(event) => setVariant(event.target.value)}>{!implied && <option value="">none: the code’s own</option>}{variantsOf(flag).map(([name]) => <option key={name}>{name}</option>)}</Select>}</Field>}
      {what === 'fields' && <Field label="Fields" hint="An object of those to change, as they are called in the database.">{(p) => <TextArea {...p} rows={5} spellCheck={false} className="font-mono text-xs" value={fields} onChange={(event) => setFields(event.target.value)} />}</Field>}
      <Field label="Reason (optional)">{(p) => <Input {...p} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
      {(wrong ?? schedule.error) && <Failure error={(wrong ?? schedule.error)!} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={schedule.isPending}>Schedule</Button></div>
    </form>
  );
}
