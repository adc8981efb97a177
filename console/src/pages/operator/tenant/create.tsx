import { useNavigate } from '@tanstack/react-router';
import { VitalError } from '@vital-db/client';
import { Plus } from 'lucide-react';
import { useId, useState, type FormEvent } from 'react';
import { told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { refusedFields } from '../../../api/refusal';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Dialog } from '../../../ui/dialog';
import { Field, Input, Select } from '../../../ui/field';
import { Problem } from '../../../ui/state';
import { TenantInput, tenantId, userId } from './lookup';
import { slugOf } from './slug';
import { tiers } from './states';

/** A tenant with configuration, core apps and an owner; `types` are those there are. */
export function CreateTenant({ types }: { types: string[] }) {
  return (
    <Dialog trigger={<Button variant="primary" icon={<Plus className="size-4" aria-hidden />}>New tenant</Button>} title="New tenant" wide
      description="It is made at once with all that it needs: configuration, four core apps, and its owner.">
      {(close) => <CreateForm types={types} close={close} />}
    </Dialog>
  );
}

async function create(form: FormData) {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const [owner, parent] = await Promise.all([userId(text('owner_id'), 'owner_id'), tenantId(text('parent'), 'parent')]);
  return told(rest.rpc('create_tenant', {
    p_name: text('name'), p_slug: text('slug'), p_tenant_type: text('tenant_type'), p_subscription_tier: text('subscription_tier'),
    p_lifecycle_state: text('lifecycle_state') === 'pending' ? 'pending' : 'active',
    ...(text('tenant_key') && { p_tenant_key: text('tenant_key') }), ...(owner && { p_owner_id: owner }),
    ...(parent && { p_parent_organization_id: parent }), ...(text('reason') && { p_reason: text('reason') }),
  }));
}

function CreateForm({ types, close }: { types: string[]; close: () => void }) {
  const navigate = useNavigate();
  const typeList = useId();
  const [slug, setSlug] = useState('');
  const [ownSlug, setOwnSlug] = useState(false);
  const made = useChange(create, ({ name }) => `${name} was made`);
  const wrong = fieldErrors(made.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    made.mutate(new FormData(event.currentTarget), {
      onSuccess: (tenant) => { close(); void navigate({ to: '/operator/tenants/$slug' as string, params: { slug: tenant.slug } as never }); },
    });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" error={wrong.name}>{(p) => <Input {...p} name="name" required maxLength={255} autoFocus onChange={(event) => { if (!ownSlug) setSlug(slugOf(event.target.value)); }} />}</Field>
        <Field label="Slug" error={wrong.slug} hint="In addresses. It stays as it is.">{(p) => <Input {...p} name="slug" required value={slug} onChange={(event) => { setOwnSlug(event.target.value !== ''); setSlug(event.target.value); }} className="font-mono" spellCheck={false} autoComplete="off" />}</Field>
        <Field label="Type" error={wrong.tenant_type} hint="With pharmaceuticals comes HIPAA, with every type GDPR.">{(p) => <Input {...p} name="tenant_type" required list={typeList} defaultValue="digital_health" spellCheck={false} autoComplete="off" />}</Field>
        <datalist id={typeList}>{types.map((type) => <option key={type} value={type} />)}</datalist>
        <Field label="Tier" error={wrong.subscription_tier}>{(p) => <Select {...p} name="subscription_tier" defaultValue="standard">{tiers.map((tier) => <option key={tier}>{tier}</option>)}</Select>}</Field>
        <Field label="Owner" error={wrong.owner_id} hint="Their email address; empty is you.">{(p) => <Input {...p} name="owner_id" type="email" autoComplete="off" />}</Field>
        <Field label="Begins" error={wrong.lifecycle_state} hint="A pending tenant serves nobody until it is approved.">{(p) => <Select {...p} name="lifecycle_state" defaultValue="active"><option>active</option><option>pending</option></Select>}</Field>
        <Field label="Part of (optional)" error={wrong.parent ?? wrong.parent_organization_id} hint="The slug of another tenant.">{(p) => <TenantInput {...p} name="parent" />}</Field>
        <Field label="Key (optional)" error={wrong.tenant_key} hint="Yours, for imports; else the slug.">{(p) => <Input {...p} name="tenant_key" spellCheck={false} autoComplete="off" />}</Field>
      </div>
      <Field label="Reason (optional)" hint="It is kept in the audit log.">{(p) => <Input {...p} name="reason" maxLength={500} />}</Field>
      {made.error && Object.keys(wrong).length === 0 && <Problem error={made.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={made.isPending}>Create tenant</Button></div>
    </form>
  );
}

/** A conflict is one of the slug: the key is the slug unless it was given. */
function fieldErrors(error: Error | null): Record<string, string> {
  const taken = error instanceof VitalError && error.code === 'state_conflict' && error.message.includes('slug');
  return taken ? { slug: `${error.message} ${error.hint}` } : refusedFields(error);
}
