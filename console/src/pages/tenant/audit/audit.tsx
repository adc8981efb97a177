import { useRole, useTenant } from '@vital-db/client/react';
import { History } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useList, type List } from '../../../api/list';
import { NotFound } from '../../../shell/not-found';
import { Badge, type Tone } from '../../../ui/badge';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { ChangedColumns } from '../../../ui/changes';
import { Dialog } from '../../../ui/dialog';
import { Field, Input } from '../../../ui/field';
import { Page } from '../../../ui/page';
import { Empty } from '../../../ui/state';
import { DataTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { EntryDetails } from './details';
import { filterNames, useEntries, type Entry, type Filters } from './entries';
import { Mark } from './mark';
import { Verification } from './verification';
import { useWalk } from './walk';

/** Who changed what of the tenant, when and why; for its admins. */
export function Audit() {
  return useRole('admin') ? <Log /> : <NotFound />;
}

function Log() {
  const { organization } = useTenant();
  const list = useList('seq.desc');
  const filters = Object.fromEntries(filterNames.map((name) => [name, list.filter(name)])) as Record<keyof Filters, string>;
  const filtered = filterNames.some((name) => filters[name]);
  const entries = useEntries(organization.id, list, filters);
  const { walk, start, stop } = useWalk(organization.id);
  const [shown, show] = useState<Entry>();
  const { rows, head } = entries.data ?? {};
  const brokenAt = Math.min(walk?.chain.firstBroken ?? Infinity, ...(rows ?? []).flatMap(({ check }) => check?.findings.map(({ seq }) => seq) ?? []));
  const mark = (entry: Entry) => <Mark seq={entry.seq} check={entry.check} brokenAt={Number.isFinite(brokenAt) ? brokenAt : undefined} />;
  return (
    <Page title="Audit log" description="Who changed what of this tenant, when and why. Rows are only ever added; nobody changes or deletes one.">
      <Verification {...{ walk, start, stop, rows, head }} whole={!filtered} />
      <Card flush>
        <DataTable label="Audit log" list={list} rows={entries} rowKey={(e) => e.id} filters={<FilterBar list={list} filters={filters} />}
          empty={filtered ? <Empty title="Nothing in the log is like that" icon={<History className="size-5" />} action={<Button onClick={() => list.set(Object.fromEntries(filterNames.map((name) => [name, ''])))}>Clear filters</Button>}>Take away a filter, or widen the time.</Empty>
            : <Empty title="The log is empty" icon={<History className="size-5" />}>Even the making of a tenant is logged: something took the rows away.</Empty>}
          columns={[
            { header: 'Row', align: 'right', minor: true, cell: (e) => <span className="text-muted">{e.seq.toLocaleString('en')}</span> },
            { header: 'When', minor: true, cell: (e) => <Time at={e.created_at} /> },
            { header: 'Who', minor: true, cell: (e) => <Actor entry={e} /> },
            { header: 'What', cell: (e) => <What entry={e} open={() => show(e)} /> },
            { header: 'Why', minor: true, cell: (e) => <span className="line-clamp-2 max-w-56 break-words" title={e.reason ?? undefined}>{e.reason ?? <span className="text-muted">–</span>}</span> },
            { header: 'Chain', cell: mark },
          ]} />
      </Card>
      <Dialog wide open={shown !== undefined} onOpenChange={(open) => { if (!open) show(undefined); }} title={shown ? `Row ${shown.seq.toLocaleString('en')}: ${shown.action} ${shown.entity ?? ''}` : ''}>
        {shown && <EntryDetails entry={shown} mark={mark(shown)} />}
      </Dialog>
    </Page>
  );
}

const tones: Record<string, Tone> = { created: 'ok', approved: 'ok', activated: 'ok', updated: 'info', deleted: 'bad', suspended: 'warn', archived: 'warn', erased: 'warn', destroyed: 'warn' };

function Actor({ entry: { email, actor_id, actor_role, database_role } }: { entry: Entry }) {
  return (
    <span className="block min-w-0 max-w-60">
      <span className="block truncate" title={actor_id ?? undefined}>{email ?? (actor_id ? <code className="text-xs">{actor_id.slice(0, 8)}…</code> : <span className="text-muted">no session · <code className="text-xs">{database_role}</code></span>)}</span>
      {actor_role && actor_id && <span className="block text-xs text-muted">as {actor_role.replace('_', ' ')}</span>}
    </span>
  );
}

function What({ entry, open }: { entry: Entry; open: () => void }) {
  return (
    <div className="flex min-w-0 flex-col items-start gap-1">
      <span className="flex flex-wrap items-center gap-2">
        <Badge tone={tones[entry.action] ?? 'neutral'}>{entry.action}</Badge>
        <button type="button" onClick={open} className="text-left font-medium hover:underline">{entry.entity ?? 'details'}<span className="sr-only">, details of row {entry.seq}</span></button>
      </span>
      <span className="text-xs text-muted md:hidden"><Time at={entry.created_at} /> · {entry.email ?? entry.database_role}</span>
      {entry.erased_at ? <span className="text-xs text-muted">its contents were erased</span> : entry.sealed_key ? <span className="text-xs text-muted">its contents are sealed</span> : entry.changes && <ChangedColumns changes={entry.changes} />}
    </div>
  );
}

/** Known words are offered; any other can be typed. */
const known = {
  action: ['created', 'updated', 'deleted', 'approved', 'activated', 'suspended', 'archived', 'erased', 'destroyed', 'exported', 'cache_invalidated'],
  entity: ['agents', 'invitations', 'organizations', 'tenant_agents', 'tenant_apps', 'tenant_configurations', 'tenant_feature_flags', 'tenant_feature_flag_changes', 'tool_categories', 'tools', 'user_tenants'],
};

const fields: { name: keyof Filters; label: string; placeholder?: string; type: string; offers?: string[] }[] = [
  { name: 'action', label: 'Action', placeholder: 'any', type: 'text', offers: known.action },
  { name: 'entity', label: 'Entity', placeholder: 'any', type: 'text', offers: known.entity },
  { name: 'actor', label: 'Actor', placeholder: 'email or id', type: 'text' },
  { name: 'request', label: 'Request', placeholder: 'request id', type: 'text' },
  { name: 'from', label: 'From', type: 'date' },
  { name: 'until', label: 'Until', type: 'date' },
];

function FilterBar({ list, filters }: { list: List; filters: Filters }) {
  return (
    <div className="grid w-full grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
      {fields.map((field) => <FilterField key={field.name} {...field} value={filters[field.name]} set={(value) => list.set({ [field.name]: value })} />)}
    </div>
  );
}

/** Narrows when typing has paused. */
function FilterField({ name, label, placeholder, type, offers, value, set }: (typeof fields)[number] & { value: string; set: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => { setText(value); }, [value]);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const pause = setTimeout(() => set(text.trim()), 300);
    return () => clearTimeout(pause);
  }, [text]); // eslint-disable-line react-hooks/exhaustive-deps -- what was typed is what narrows the list
  return (
    <Field label={label}>
      {(p) => (
        <>
          <Input {...p} type={type} value={text} placeholder={placeholder} onChange={(event) => setText(event.target.value)} list={offers && `${name}-offers`} autoComplete="off" spellCheck={false} />
          {offers && <datalist id={`${name}-offers`}>{offers.map((offer) => <option key={offer} value={offer} />)}</datalist>}
        </>
      )}
    </Field>
  );
}
