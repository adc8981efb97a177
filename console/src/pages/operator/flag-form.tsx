import { useNavigate } from '@tanstack/react-router';
import { VitalError, type Json } from '@vital-db/client';
import { useState, type ComponentProps, type FormEvent } from 'react';
import { done, told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest, vital } from '../../session/clients';
import { Button } from '../../ui/button';
import { Field, Input, Select, TextArea } from '../../ui/field';
import { Failure, Notice } from '../../ui/notice';
import { explain } from '../flags/logic';
import { asObject, localTime, momentOf, parsed, types, type Flag } from '../flags/model';
import { Rule } from '../flags/rule';

type Draft = Record<'key' | 'name' | 'description' | 'flag_type' | 'variants' | 'default_variant' | 'default_enabled' | 'targeting' | 'prerequisites' | 'owner' | 'category' | 'tags' | 'expires', string>;

const pretty = (value: Json) => JSON.stringify(value, null, 2);

function draftOf(flag: Flag | undefined): Draft {
  return {
    key: flag?.flag_key ?? '', name: flag?.name ?? '', description: flag?.description ?? '', flag_type: flag?.flag_type ?? 'boolean',
    variants: pretty(flag?.variants ?? {}), default_variant: flag?.default_variant ?? '', default_enabled: flag?.default_enabled ? 'on' : 'off',
    targeting: pretty(flag?.targeting ?? {}), prerequisites: pretty(flag?.prerequisites ?? []), owner: flag?.owner ?? '', category: flag?.category ?? '',
    tags: flag?.tags.join(', ') ?? '', expires: localTime(flag?.expires_at ?? null),
  };
}

/** What was typed, as fields of the definition; throws what is wrong with it. */
function fieldsOf(draft: Draft, flag: Flag | undefined): Record<string, Json> {
  const words = (text: string) => text.trim() || null;
  return {
    name: words(draft.name), description: words(draft.description), flag_type: draft.flag_type, variants: parsed(draft.variants, 'The variants'),
    default_variant: words(draft.default_variant), default_enabled: draft.default_enabled === 'on', targeting: parsed(draft.targeting || '{}', 'The rule'),
    prerequisites: parsed(draft.prerequisites || '[]', 'What it needs', 'array'), owner: words(draft.owner), category: words(draft.category),
    tags: draft.tags.split(',').map((tag) => tag.trim()).filter(Boolean),
    expires_at: flag && draft.expires === localTime(flag.expires_at) ? flag.expires_at : momentOf(draft.expires),
  };
}

/** A rule that was stored, and that the server cannot evaluate. */
interface Broken { version: number; details: string }

/**
 * Makes a definition, or changes the fields that were changed. The server takes any rule and compiles it when the flag is read: what it
 * says of that is asked for at once, and the way back offered.
 */
export function DefinitionForm({ flag, close }: { flag?: Flag; close: () => void }) {
  const navigate = useNavigate();
  const [base] = useState(flag);
  const [version, setVersion] = useState(flag?.version ?? 0);
  const [draft, setDraft] = useState(() => draftOf(flag));
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState<Error>();
  const [broken, setBroken] = useState<Broken>();
  const change = (name: keyof Draft) => ({ value: draft[name], onChange: (event: { target: { value: string } }) => setDraft((former) => ({ ...former, [name]: event.target.value })) });
  const save = useChange(async (fields: Record<string, Json>) => {
    const saved = await told(rest.rpc('set_feature_flag', { p_flag_key: draft.key.trim(), p_changes: fields, p_expected_version: version, p_reason: reason.trim() || undefined }));
    const evaluation = saved.is_active ? (await vital.features.all({ counted: false }))[saved.flag_key] : undefined;
    return { saved, problem: evaluation?.errorCode && `${evaluation.errorCode}: ${evaluation.errorDetails ?? 'no details'}` };
  });
  const back = useChange((former: number) => done(rest.rpc('rollback_feature_flag', { p_flag_key: draft.key.trim(), p_version: former, p_reason: 'The rule could not be evaluated' })), () => 'It is as it was before');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      setWrong(undefined);
      const fields = fieldsOf(draft, base);
      const changed = Object.entries(fields).filter(([name, value]) => broken !== undefined || JSON.stringify(value) !== JSON.stringify(base ? (base as Record<string, unknown>)[name] : undefined));
      save.mutate(Object.fromEntries(changed), {
        onSuccess: ({ saved, problem }) => {
          setVersion(saved.version);
          if (problem) return setBroken({ version: saved.version, details: problem });
          close();
          return navigate({ to: '/operator/flags/$key' as string, params: { key: saved.flag_key } as never });
        },
      });
    } catch (error) {
      setWrong(error as Error);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Fields draft={draft} change={change} fresh={!base} />
      <Field label="Reason" hint="It is kept in the history and the audit log.">{(p) => <Input {...p} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
      {broken && (
        <Notice tone="bad" title={`Saved as version ${broken.version}, but it cannot be evaluated`} actions={base && <Button size="small" pending={back.isPending} onClick={() => back.mutate(base.version, { onSuccess: close })}>Back to version {base.version}</Button>}>
          <p className="font-mono text-xs break-words">{broken.details}</p><p>Until this is mended every tenant gets the default in the application’s code. Correct it and save again{base && ', or go back'}.</p>
        </Notice>
      )}
      {(wrong ?? save.error ?? back.error) && <Failure error={(wrong ?? save.error ?? back.error)!} />}
      {save.error instanceof VitalError && save.error.code === 'precondition_failed' && base && <Notice tone="warn" title="Somebody else has changed this flag since you opened it">Close this, look at what they made of it, and begin again from there: nothing of theirs is lost.</Notice>}
      <div className="flex justify-end gap-2"><Button onClick={close}>{broken ? 'Close' : 'Cancel'}</Button><Button type="submit" variant="primary" pending={save.isPending}>{base ? 'Save' : 'Create flag'}</Button></div>
    </form>
  );
}

type Change = (name: keyof Draft) => Pick<ComponentProps<'input'>, 'value'> & { onChange: (event: { target: { value: string } }) => void };

function Fields({ draft, change, fresh }: { draft: Draft; change: Change; fresh: boolean }) {
  const names = Object.keys(asObject(tried(draft.variants)));
  const implied = names.length === 0 && draft.flag_type === 'boolean';
  return (
    <>
      {fresh && <Field label="Key" hint="What the application asks for. It stays.">{(p) => <Input {...p} {...change('key')} required autoComplete="off" spellCheck={false} className="font-mono" />}</Field>}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name">{(p) => <Input {...p} {...change('name')} />}</Field>
        <Field label="Owner" hint="Who decides when it can go.">{(p) => <Input {...p} {...change('owner')} />}</Field>
      </div>
      <Field label="Description">{(p) => <TextArea {...p} rows={2} {...change('description')} />}</Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Type">{(p) => <Select {...p} {...change('flag_type')}>{types.map((type) => <option key={type}>{type}</option>)}</Select>}</Field>
        {implied ? <Field label="Default">{(p) => <Select {...p} {...change('default_enabled')}><option value="off">off</option><option value="on">on</option></Select>}</Field> : (
          <Field label="Default variant">{(p) => <Select {...p} {...change('default_variant')}><option value="">none: the code’s own default</option>{[...new Set([...names, draft.default_variant])].filter(Boolean).map((name) => <option key={name}>{name}</option>)}</Select>}</Field>
        )}
      </div>
      <Field label="Variants" hint={implied ? 'A boolean flag without any has on and off.' : 'JSON: the names and what each is worth, of the flag’s type.'}>{(p) => <Code {...p} rows={4} {...change('variants')} />}</Field>
      <Field label="Targeting rule" hint="JSON logic that names a variant; {} for none.">{(p) => <Code {...p} rows={7} {...change('targeting')} />}</Field>
      <Preview draft={draft} />
      <details className="text-sm">
        <summary className="font-medium">More: needs, end, category, tags</summary>
        <div className="mt-3 flex flex-col gap-4">
          <Field label="Needs" hint='JSON: [{"flag_key": "another", "variants": ["on"]}]'>{(p) => <Code {...p} rows={3} {...change('prerequisites')} />}</Field>
          <div className="grid gap-4 sm:grid-cols-3">
            <Field label="To be gone by" hint="The review lists it then; nothing else happens.">{(p) => <Input {...p} type="datetime-local" {...change('expires')} />}</Field>
            <Field label="Category">{(p) => <Input {...p} {...change('category')} />}</Field>
            <Field label="Tags" hint="Separated by commas.">{(p) => <Input {...p} {...change('tags')} />}</Field>
          </div>
        </div>
      </details>
    </>
  );
}

function Code(props: ComponentProps<'textarea'>) {
  return <TextArea {...props} spellCheck={false} className="font-mono text-xs" />;
}

/** The rule as it is being typed, as soon as it is JSON. */
function Preview({ draft }: { draft: Draft }) {
  const rule = tried(draft.targeting);
  if (explain(rule).length === 0) return null;
  return <details className="text-sm"><summary className="font-medium">The rule in words</summary><div className="mt-3"><Rule targeting={rule} names={Object.keys(asObject(tried(draft.variants)))} fallback={draft.default_variant || null} /></div></details>;
}

function tried(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
