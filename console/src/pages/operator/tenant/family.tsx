import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import type { FormEvent } from 'react';
import { told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { refusedFields } from '../../../api/refusal';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Dialog } from '../../../ui/dialog';
import { Field, Input } from '../../../ui/field';
import { Loading, Problem } from '../../../ui/state';
import type { TenantRow } from '../tenant';
import { TenantInput, tenantId } from './lookup';
import { platformId, StateBadge } from './states';

const shown = 8;

/** What a tenant is part of, and what is part of it. */
export function FamilyCard({ tenant }: { tenant: TenantRow }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'family', tenant.id, tenant.parent_organization_id],
    queryFn: async ({ signal }) => {
      const columns = 'id,name,slug,lifecycle_state';
      const above = tenant.parent_organization_id ? await told(rest.from('organizations').select(columns).eq('id', tenant.parent_organization_id).abortSignal(signal)) : [];
      const below = await told(rest.from('organizations').select(columns).eq('parent_organization_id', tenant.id).order('name').limit(shown + 1).abortSignal(signal));
      return { parent: above[0], children: below };
    },
  });
  const fixed = tenant.id === platformId || tenant.lifecycle_state === 'archived';
  return (
    <Card title="Parent and parts" description="Tenants can be part of another, at most five levels deep. It gives nobody access."
      actions={!fixed && data && (
        <Dialog trigger={<Button size="small">Change parent</Button>} title={`What ${tenant.name} is part of`} description="Neither its members nor their rights change.">
          {(close) => <ParentForm tenant={tenant} parent={data.parent?.slug ?? ''} close={close} />}
        </Dialog>
      )}>
      {error ? <Problem error={error} retry={() => { void refetch(); }} /> : !data ? <Loading className="h-20" /> : (
        <div className="flex flex-col gap-3 text-sm">
          <Relatives label="Part of" tenants={data.parent ? [data.parent] : []} none="Of none: it stands by itself." />
          <Relatives label="Parts" tenants={data.children.slice(0, shown)} none="None." more={data.children.length > shown} />
        </div>
      )}
    </Card>
  );
}

type Relative = Pick<TenantRow, 'id' | 'name' | 'slug' | 'lifecycle_state'>;

function Relatives({ label, tenants, none, more }: { label: string; tenants: Relative[]; none: string; more?: boolean }) {
  return (
    <div>
      <h3 className="text-xs text-muted">{label}</h3>
      {tenants.length === 0 ? <p className="mt-0.5">{none}</p> : (
        <ul className="mt-1 flex flex-col gap-1.5">
          {tenants.map(({ id, name, slug, lifecycle_state: state }) => (
            <li key={id} className="flex items-center justify-between gap-3"><Link to={'/operator/tenants/$slug' as string} params={{ slug } as never} className="min-w-0 truncate font-medium hover:underline">{name}</Link><StateBadge state={state} /></li>
          ))}
          {more && <li className="text-xs text-muted">And more.</li>}
        </ul>
      )}
    </div>
  );
}

function ParentForm({ tenant, parent, close }: { tenant: TenantRow; parent: string; close: () => void }) {
  const change = useChange(async ({ slug, reason }: { slug: string; reason: string }) => {
    const id = await tenantId(slug, 'parent_organization_id');
    // No parent is null, which the generated types of parameters do not know.
    return told(rest.rpc('set_parent_organization', { p_tenant_id: tenant.id, p_parent_organization_id: id as string, p_reason: reason }));
  }, (_row, { slug }) => (slug ? `${tenant.name} is part of ${slug} now` : `${tenant.name} is part of no other now`));
  const wrong = refusedFields(change.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    change.mutate({ slug: String(form.get('parent')).trim(), reason: String(form.get('reason')).trim() }, { onSuccess: close });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Part of" hint="The slug of another tenant; empty for none." error={wrong.parent_organization_id}>{(p) => <TenantInput {...p} name="parent" defaultValue={parent} autoFocus />}</Field>
      <Field label="Reason (optional)" hint="It is kept in the audit log.">{(p) => <Input {...p} name="reason" maxLength={500} />}</Field>
      {change.error && Object.keys(wrong).length === 0 && <Problem error={change.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={change.isPending}>Change parent</Button></div>
    </form>
  );
}
