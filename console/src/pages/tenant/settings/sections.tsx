import { Link } from '@tanstack/react-router';
import { useTenant, useUser } from '@vital-db/client/react';
import { useId } from 'react';
import { Card } from '../../../ui/card';
import { Field, Input, Switch } from '../../../ui/field';
import { JsonField } from '../../../ui/json';
import { Tokens } from '../../../ui/tokens';
import { ColourField } from './colour';
import { fields, type Draft, type FieldName } from './draft';
import type { Edit } from './edit';

/** The name of each field that holds such a value. */
type Of<Value> = { [Name in FieldName]: Draft[Name] extends Value ? Name : never }[FieldName];

/** What a field of that name takes. */
function control<Name extends FieldName>(edit: Edit, name: Name) {
  return { label: fields[name].label, error: edit.wrong[name], value: edit.draft[name], set: (value: Draft[Name]) => edit.set(name, value) };
}

function Text({ edit, name, hint, mono, disabled, numeric }: { edit: Edit; name: Of<string>; hint?: string; mono?: boolean; disabled?: boolean; numeric?: boolean }) {
  const { label, error, value, set } = control(edit, name);
  return <Field label={label} hint={hint} error={error}>{(p) => <Input {...p} value={value} disabled={disabled} inputMode={numeric ? 'numeric' : undefined} spellCheck={false} placeholder={numeric ? 'no limit' : undefined} className={mono ? 'font-mono' : undefined} onChange={(event) => set(event.target.value)} />}</Field>;
}

export function Look({ edit }: { edit: Edit }) {
  return (
    <Card title="Look" description="How front ends look to members of this tenant.">
      <div className="grid gap-5 lg:grid-cols-2">
        <div className="flex flex-col gap-4">
          <Text edit={edit} name="theme" hint="The name of a theme of the front end." mono />
          <Text edit={edit} name="logo_url" hint="https://…, or a path of the front end. The console does not load it." mono />
        </div>
        <ColourField {...control(edit, 'primary_color')} />
        <div className="lg:col-span-2"><JsonField {...control(edit, 'ui_custom')} hint="Keys of your own, as JSON (ui_config.custom)." /></div>
      </div>
    </Card>
  );
}

export function Offer({ edit }: { edit: Edit }) {
  const { label, error, value, set } = control(edit, 'enabled_features');
  const { organization, config } = useTenant();
  return (
    <Card title="What members have" description="Beside flags, which have a page of their own.">
      <div className="flex flex-col gap-5">
        <Tokens label={label} hint="Names your front ends know, switched on beside the flags." error={error} values={value} set={set} placeholder="beta-search" />
        <Tiers edit={edit} />
        <p className="text-sm text-muted">Apps: {config.enabled_apps.length} listed. <Link to={'/t/$tenant/apps' as string} params={{ tenant: organization.slug } as never} className="font-medium text-accent-ink underline">Choose them on their page</Link></p>
      </div>
    </Card>
  );
}

function Tiers({ edit }: { edit: Edit }) {
  const { label, error, value, set } = control(edit, 'enabled_agent_tiers');
  const note = useId();
  const toggle = (tier: number, on: boolean) => set(on ? [...value, tier].sort((a, b) => a - b) : value.filter((other) => other !== tier));
  return (
    <fieldset aria-describedby={note}>
      <legend className="mb-1.5 text-sm font-medium">{label}</legend>
      <div className="flex flex-wrap gap-1.5">
        {Array.from({ length: 9 }, (_, n) => n + 1).map((tier) => (
          <label key={tier} className="flex h-8 cursor-pointer items-center gap-2 rounded-lg border border-line-strong px-2.5 text-sm tabular-nums has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent-ink">
            <input type="checkbox" className="size-3.5 accent-accent" checked={value.includes(tier)} onChange={(event) => toggle(tier, event.target.checked)} /><span className="sr-only">Tier </span>{tier}
          </label>
        ))}
      </div>
      <p id={note} className={error ? 'mt-1.5 text-xs text-bad' : 'mt-1.5 text-xs text-muted'}>{error ?? 'Agents of these can be assigned. Those that are assigned already stay.'}</p>
    </fieldset>
  );
}

export function Limits({ edit }: { edit: Edit }) {
  const operator = useUser().role === 'super_admin';
  const theirs = operator ? 'Empty for no limit of its own.' : 'Set by the operator of the platform.';
  return (
    <Card title="Limits" description="Empty is no limit. What there is more of already stays.">
      <div className="grid gap-4 sm:grid-cols-2">
        <Text edit={edit} name="max_agents" hint="At a time." numeric />
        <Text edit={edit} name="max_conversations" hint="Chat sessions that are kept." numeric />
        <Text edit={edit} name="requests_per_second" hint={`Of one server. ${theirs}`} numeric disabled={!operator} />
        <Text edit={edit} name="concurrent_requests" hint={`In the database at one time. ${theirs}`} numeric disabled={!operator} />
        <div className="sm:col-span-2"><JsonField {...control(edit, 'limits_custom')} hint="Limits your own applications hold, as JSON (limits.custom)." /></div>
      </div>
    </Card>
  );
}

export function Compliance({ edit }: { edit: Edit }) {
  return (
    <Card title="Compliance" description="The regimes this tenant is under, as your applications are told.">
      <div className="flex flex-col gap-4">
        <Toggle edit={edit} name="hipaa_enabled" hint="US health data" />
        <Toggle edit={edit} name="gdpr_enabled" hint="Personal data of people in the EU" />
        <JsonField {...control(edit, 'compliance_custom')} hint="Keys of your own, as JSON (compliance_settings.custom)." />
      </div>
    </Card>
  );
}

function Toggle({ edit, name, hint }: { edit: Edit; name: Of<boolean>; hint: string }) {
  const { label, error, value, set } = control(edit, name);
  return (
    <div className="flex items-center justify-between gap-4">
      <div><p className="text-sm font-medium">{label}</p><p className={error ? 'text-xs text-bad' : 'text-xs text-muted'}>{error ?? hint}</p></div>
      <Switch label={label} checked={value} onCheckedChange={set} />
    </div>
  );
}
