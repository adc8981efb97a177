import { useTenant } from '@vital-db/client/react';
import { VitalError } from '@vital-db/client';
import { Bot, Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { containing, useList, useRows } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Confirm, Dialog } from '../../../ui/dialog';
import { Field, Input, Select, TextArea } from '../../../ui/field';
import { MenuItem, RowMenu } from '../../../ui/menu';
import { Empty, Problem } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { Tokens } from '../../../ui/tokens';
import { Status } from './cells';
import { brief, useOwnAgents, type AgentInput, type OwnAgent, type OwnAgents as Changes } from './data';

/** The agents a tenant has made itself, drafts and retired ones too. */
export function OwnAgents({ writer }: { writer: boolean }) {
  const { organization } = useTenant();
  const changes = useOwnAgents();
  const list = useList('name.asc', 'own', 10);
  const status = list.filter('status');
  const agents = useRows<OwnAgent>(['agents', 'own', organization.id, status], list, () => {
    let query = rest.from('agents').select(`${brief},system_prompt,model,capabilities,version`, { count: 'exact' }).eq('tenant_id', organization.id);
    if (status) query = query.eq('status', status);
    return list.search ? query.or(containing(['name', 'slug', 'description', 'category'], list.search)) : query;
  });
  return (
    <Card flush title="Own agents" description="Made here. Active ones can be assigned."
      actions={writer && <Dialog wide trigger={<Button icon={<Plus className="size-4" aria-hidden />}>New agent</Button>} title="New agent">{(close) => <AgentForm changes={changes} close={close} />}</Dialog>}>
      <DataTable label="Own agents" list={list} rows={agents} rowKey={(agent) => agent.id} search="Search own agents"
        filters={<Select aria-label="Status" className="!w-auto" value={status} onChange={(event) => list.set({ status: event.target.value })}><option value="">All</option>{['draft', 'active', 'retired'].map((name) => <option key={name}>{name}</option>)}</Select>}
        empty={<Empty title={status ? `None is ${status}` : 'No agents of your own'} icon={<Bot className="size-5" />}>{status ? 'Try another filter.' : 'The platform\'s can be assigned all the same.'}</Empty>}
        columns={[
          { header: 'Agent', main: true, sort: 'name', cell: (agent) => <span className="block"><span className="block font-medium">{agent.name}</span><span className="line-clamp-1 text-xs text-muted">{agent.description || agent.slug}</span></span> },
          { header: 'Status', sort: 'status', cell: (agent) => <Status status={agent.status} /> },
          { header: 'Tier', sort: 'tier', minor: true, cell: (agent) => <span className="tabular-nums">{agent.tier}</span> },
          { header: 'Category', sort: 'category', minor: true, cell: (agent) => agent.category ?? <span className="text-muted">–</span> },
          { header: 'Model', sort: 'model', minor: true, cell: (agent) => <span className="font-mono text-xs">{agent.model ?? '–'}</span> },
          ...(writer ? [{ header: 'Actions', align: 'right' as const, cell: (agent: OwnAgent) => <AgentMenu agent={agent} changes={changes} /> }] : []),
        ]} />
    </Card>
  );
}

function AgentMenu({ agent, changes }: { agent: OwnAgent; changes: Changes }) {
  const [asked, ask] = useState<'edit' | 'status'>();
  const retired = agent.status === 'retired';
  return (
    <>
      <RowMenu label={agent.name}>
        <MenuItem onSelect={() => ask('edit')}>Edit…</MenuItem>
        <MenuItem danger={!retired} onSelect={() => ask('status')}>{retired ? 'Make active…' : 'Retire…'}</MenuItem>
      </RowMenu>
      <Dialog wide open={asked === 'edit'} onOpenChange={(open) => ask(open ? 'edit' : undefined)} title={`Edit ${agent.name}`} description={<span className="font-mono">{agent.slug}</span>}>
        {(close) => <AgentForm agent={agent} changes={changes} close={close} />}
      </Dialog>
      <Confirm open={asked === 'status'} onOpenChange={(open) => ask(open ? 'status' : undefined)} title={retired ? `Make ${agent.name} active again?` : `Retire ${agent.name}?`} action={retired ? 'Make active' : 'Retire'} danger={!retired}
        consequence={retired ? 'It can be assigned again.' : 'It cannot be assigned any more. Where it is assigned it stays until it is taken away. It can be made active again.'}
        onConfirm={() => changes.setStatus.mutateAsync({ agent, status: retired ? 'active' : 'retired' })} />
    </>
  );
}

/** Makes an agent, or changes one. */
function AgentForm({ agent, changes, close }: { agent?: OwnAgent; changes: Changes; close: () => void }) {
  const [capabilities, setCapabilities] = useState(agent?.capabilities ?? []);
  const change = agent ? changes.edit : changes.create;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const input = inputOf(new FormData(event.currentTarget), capabilities);
    if (agent) changes.edit.mutate({ agent, input }, { onSuccess: close });
    else changes.create.mutate(input, { onSuccess: close });
  };
  const taken = change.error instanceof VitalError && change.error.code === '23505';
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name">{(p) => <Input {...p} name="name" required pattern=".*\S.*" maxLength={200} defaultValue={agent?.name} autoFocus />}</Field>
        <Field label="Key" hint="Small letters, digits, - and _." error={taken ? 'There is an agent with this key.' : undefined}>{(p) => <Input {...p} name="slug" required pattern="[a-z0-9]+([\-_][a-z0-9]+)*" title="Small letters and digits, with single - or _ between them" maxLength={100} defaultValue={agent?.slug} className="font-mono" />}</Field>
        <Field label="Tier" hint="Tenants assign the tiers they have enabled.">{(p) => <Select {...p} name="tier" defaultValue={agent?.tier ?? 1}>{Array.from({ length: 9 }, (_, n) => <option key={n}>{n + 1}</option>)}</Select>}</Field>
        <Field label="Status" hint="Only active ones can be assigned.">{(p) => <Select {...p} name="status" defaultValue={agent?.status ?? 'draft'}>{['draft', 'active', 'retired'].map((name) => <option key={name}>{name}</option>)}</Select>}</Field>
        <Field label="Category">{(p) => <Input {...p} name="category" maxLength={100} defaultValue={agent?.category ?? ''} />}</Field>
        <Field label="Model">{(p) => <Input {...p} name="model" maxLength={200} defaultValue={agent?.model ?? ''} className="font-mono" />}</Field>
      </div>
      <Field label="Description">{(p) => <Input {...p} name="description" maxLength={1000} defaultValue={agent?.description ?? ''} />}</Field>
      <Field label="System prompt" hint="The instruction it runs with. No secrets: members read it.">{(p) => <TextArea {...p} name="system_prompt" rows={5} defaultValue={agent?.system_prompt ?? ''} />}</Field>
      <Tokens label="Capabilities" hint="Names of tools or skills." values={capabilities} set={setCapabilities} />
      {change.error && !taken && <Problem error={change.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={change.isPending}>{agent ? 'Save' : 'Create'}</Button></div>
    </form>
  );
}

function inputOf(form: FormData, capabilities: string[]): AgentInput {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  return {
    name: text('name'), slug: text('slug'), tier: Number(text('tier')), status: text('status'), category: text('category') || null,
    model: text('model') || null, description: text('description') || null, system_prompt: text('system_prompt') || null, capabilities,
  };
}
