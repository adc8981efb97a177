import type { Json } from '@vital-db/client';
import { Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Dialog } from '../../../ui/dialog';
import { Field, Input, TextArea } from '../../../ui/field';
import { Problem } from '../../../ui/state';

/** Registers a tool of this tenant. */
export function Register() {
  return (
    <Dialog wide trigger={<Button variant="primary" icon={<Plus className="size-4" aria-hidden />}>Register tool</Button>} title="Register a tool" description="It becomes one of this tenant's tools, to be assigned to its agents.">
      {(close) => <RegisterForm close={close} />}
    </Dialog>
  );
}

const slugOf = (name: string): string => name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');

/** What is written in a field for JSON; throws where it is none. */
function parsed(form: FormData, name: string): Json | undefined {
  const text = String(form.get(name)).trim();
  return text === '' ? undefined : JSON.parse(text) as Json;
}

const documents = [
  { name: 'input', label: 'Input schema', hint: 'A JSON Schema of what it takes.' },
  { name: 'output', label: 'Output schema', hint: 'A JSON Schema of what it answers.' },
  { name: 'config', label: 'Configuration', hint: 'A JSON object. Everybody in the tenant can read it: no secrets.' },
];

function RegisterForm({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const [slug, setSlug] = useState<string>();
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const register = useChange((form: FormData) => {
    const text = (field: string) => String(form.get(field)).trim() || undefined;
    return told(rest.rpc('register_tool', {
      p_name: name.trim(), p_slug: text('slug') ?? '', p_tool_type: text('type'), p_implementation_type: text('implementation'), p_category: text('category'), p_description: text('description'),
      p_function_signature: text('signature'), p_input_schema: parsed(form, 'input'), p_output_schema: parsed(form, 'output'), p_config: parsed(form, 'config'),
    }));
  }, () => `${name.trim()} is registered`);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const broken = Object.fromEntries(documents.flatMap(({ name: field }) => {
      try { parsed(form, field); return []; } catch { return [[field, 'This is no JSON.']]; }
    }));
    setWrong(broken);
    if (Object.keys(broken).length === 0) register.mutate(form, { onSuccess: close });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name">{(p) => <Input {...p} value={name} onChange={(event) => setName(event.target.value)} required autoFocus />}</Field>
        <Field label="Slug" hint="Its stable key: lower-case letters, digits and hyphens.">{(p) => <Input {...p} name="slug" value={slug ?? slugOf(name)} onChange={(event) => setSlug(event.target.value)} pattern="[a-z0-9]+([\-_][a-z0-9]+)*" required spellCheck={false} className="font-mono text-xs" />}</Field>
        <Field label="Type" hint="function, api, workflow …">{(p) => <Input {...p} name="type" defaultValue="function" required />}</Field>
        <Field label="Category">{(p) => <Input {...p} name="category" />}</Field>
        <Field label="Implementation" hint="python, http, sql …">{(p) => <Input {...p} name="implementation" />}</Field>
        <Field label="Signature">{(p) => <Input {...p} name="signature" spellCheck={false} className="font-mono text-xs" />}</Field>
      </div>
      <Field label="Description">{(p) => <TextArea {...p} name="description" rows={2} />}</Field>
      <div className="grid gap-4 sm:grid-cols-3">
        {documents.map((field) => (
          <Field key={field.name} label={field.label} hint={field.hint} error={wrong[field.name]}>{(p) => <TextArea {...p} name={field.name} rows={5} spellCheck={false} className="font-mono text-xs" placeholder="{ }" />}</Field>
        ))}
      </div>
      {register.error && <div className="rounded-lg border border-line"><Problem error={register.error} /></div>}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={register.isPending}>Register</Button></div>
    </form>
  );
}
