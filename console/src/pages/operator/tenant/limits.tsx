import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import type { ConfigurationRow, Written } from '@vital-db/client';
import type { FormEvent } from 'react';
import { useChange } from '../../../api/change';
import { refusedFields } from '../../../api/refusal';
import { vital } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Field, Input } from '../../../ui/field';
import { Loading, Problem } from '../../../ui/state';
import type { TenantRow } from '../tenant';

/** The bounds that operators set: the tenant's own admins cannot. */
const bounds = [
  { name: 'requests_per_second', label: 'Requests a second', hint: 'On each server, and twice as many at once after a pause. Empty: what the server gives everybody.' },
  { name: 'concurrent_requests', label: 'Requests at a time', hint: 'In the database, from each server. Empty: no bound of its own.' },
] as const;

export function LimitsCard({ tenant }: { tenant: TenantRow }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'limits', tenant.id],
    queryFn: ({ signal }) => vital.config.get({ tenant: tenant.id, signal }),
    enabled: tenant.lifecycle_state !== 'archived',
  });
  return (
    <Card title="Limits" description="So that one tenant's load is not the others'. What is beyond waits its turn or is told to come again.">
      {tenant.lifecycle_state === 'archived' ? <p className="text-sm text-muted">An archived tenant serves nobody: there is nothing to bound.</p>
        : error ? <Problem error={error} retry={() => { void refetch(); }} /> : !data ? <Loading /> : <LimitsForm key={data.etag} tenant={tenant} configuration={data} />}
    </Card>
  );
}

function LimitsForm({ tenant, configuration: { data, etag } }: { tenant: TenantRow; configuration: Written<ConfigurationRow> }) {
  const save = useChange((limits: Record<string, number | null>) => vital.config.update({ limits }, { tenant: tenant.id, ifMatch: etag }), () => `The limits of ${tenant.name} were changed`);
  const wrong = refusedFields(save.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    save.mutate(Object.fromEntries(bounds.map(({ name }) => [name, form.get(name) === '' ? null : Number(form.get(name))])));
  };
  const { max_agents: agents, max_conversations: conversations } = data.limits;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        {bounds.map(({ name, label, hint }) => <Field key={name} label={label} hint={hint} error={wrong[name]}>{(p) => <Input {...p} name={name} type="number" step="any" defaultValue={data.limits[name] ?? ''} placeholder="no limit" />}</Field>)}
      </div>
      <p className="text-xs text-muted">Its admins set the others: {amount(agents, 'agents')}, {amount(conversations, 'conversations')}.</p>
      {save.error && Object.keys(wrong).length === 0 && <Problem error={save.error} />}
      <div className="flex justify-end"><Button type="submit" pending={save.isPending}>Save limits</Button></div>
    </form>
  );
}

function amount(allowed: number | undefined, what: string): string {
  return allowed === undefined ? `${what} without limit` : `${allowed.toLocaleString('en')} ${what}`;
}
