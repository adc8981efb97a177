import { VitalError } from '@vital-db/client';
import { useState, type FormEvent } from 'react';
import { Button } from '../../../ui/button';
import { Field, Input } from '../../../ui/field';
import { jsonObject, JsonField, jsonText } from '../../../ui/json';
import { Problem } from '../../../ui/state';
import type { App, AppChanges, AppInput } from './data';

/** Makes an app, or changes one. The key is what code knows it by, and stays. */
export function AppForm({ app, changes, close }: { app?: App; changes: AppChanges; close: () => void }) {
  const change = app ? changes.edit : changes.add;
  const [config, setConfig] = useState(jsonText(app?.config));
  const [listed, setListed] = useState(true);
  const settings = jsonObject(config);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (settings.error !== undefined) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const input: AppInput = { app_name: text('name'), app_route: text('route'), app_icon: text('icon') || null, config: settings.value };
    if (app) changes.edit.mutate({ app, input }, { onSuccess: close });
    else changes.add.mutate({ input, key: text('key'), listed }, { onSuccess: close });
  };
  const taken = change.error instanceof VitalError && change.error.code === '23505';
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {!app && <Field label="Key" hint="What code knows it by: small letters, digits, - and _. It cannot be changed later." error={taken ? 'There is an app with this key.' : undefined}>{(p) => <Input {...p} name="key" required pattern="[a-z][a-z0-9_\-]*" maxLength={100} title="Small letters, digits, - and _, beginning with a letter" autoFocus className="font-mono" />}</Field>}
      <Field label="Name">{(p) => <Input {...p} name="name" required maxLength={200} defaultValue={app?.app_name} />}</Field>
      <Field label="Route" hint="Its path in the front end.">{(p) => <Input {...p} name="route" required pattern="/.*" title="A path that begins with /" defaultValue={app?.app_route ?? '/'} className="font-mono" />}</Field>
      <Field label="Icon" hint="A name the front end knows.">{(p) => <Input {...p} name="icon" maxLength={100} defaultValue={app?.app_icon ?? ''} className="font-mono" />}</Field>
      <JsonField label="Settings" hint="What the app is given, as JSON." value={config} set={setConfig} />
      {!app && <label className="flex items-start gap-2.5 text-sm"><input type="checkbox" className="mt-0.5 size-4 accent-accent" checked={listed} onChange={(event) => setListed(event.target.checked)} /><span>List it in the configuration<span className="block text-xs text-muted">Without that members cannot use it yet.</span></span></label>}
      {change.error && !taken && <Problem error={change.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={change.isPending}>{app ? 'Save' : 'Add app'}</Button></div>
    </form>
  );
}
