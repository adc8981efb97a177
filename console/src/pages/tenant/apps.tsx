import { useQuery } from '@tanstack/react-query';
import { useRole, useTenant, vitalKey } from '@vital-db/client/react';
import { Blocks, Plus } from 'lucide-react';
import { useState } from 'react';
import { told } from '../../api/answer';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm, Dialog } from '../../ui/dialog';
import { Select, Switch } from '../../ui/field';
import { MenuItem, RowMenu } from '../../ui/menu';
import { Mover } from '../../ui/mover';
import { Notice } from '../../ui/notice';
import { Page } from '../../ui/page';
import { Empty, Problem } from '../../ui/state';
import { DataTable, type Column } from '../../ui/table';
import { fate, useAppChanges, type App, type AppChanges } from './apps/data';
import { AppForm } from './apps/form';

/** What a tenant has of applications, and which of them its members may use. */
export function Apps() {
  const admin = useRole('admin');
  const changes = useAppChanges();
  return (
    <Page title="Apps" description="What front ends offer in this tenant. Members can use an app that is on, shown, and listed in the configuration (enabled_apps)." actions={admin && <AddApp changes={changes} />}>
      {admin && <Unknown changes={changes} />}
      <Failed changes={changes} />
      <AppList admin={admin} changes={changes} />
    </Page>
  );
}

function AddApp({ changes }: { changes: AppChanges }) {
  return (
    <Dialog trigger={<Button variant="primary" icon={<Plus className="size-4" aria-hidden />}>Add app</Button>} title="Add an app">
      {(close) => <AppForm changes={changes} close={close} />}
    </Dialog>
  );
}

/** A switch or a move that failed says so above the list, which shows how things are. */
function Failed({ changes: { enable, show, list, move } }: { changes: AppChanges }) {
  const failed = [enable, show, list, move].find(({ error }) => error);
  if (!failed?.error) return null;
  return <Card><Problem error={failed.error} title="That was not done" /><div className="flex justify-center"><Button size="small" onClick={failed.reset}>Dismiss</Button></div></Card>;
}

/** What the configuration lists and is no app: a name that was mistyped, or of an app that is gone. */
function Unknown({ changes }: { changes: AppChanges }) {
  const { organization, config: { enabled_apps: listed } } = useTenant();
  const known = useQuery({
    queryKey: [...vitalKey, 'apps', 'listed', organization.id, listed],
    queryFn: ({ signal }) => told(rest.from('tenant_apps').select('app_key').eq('tenant_id', organization.id).in('app_key', listed).abortSignal(signal)),
    enabled: listed.length > 0,
  });
  const keys = new Set(known.data?.map(({ app_key }) => app_key));
  const unknown = known.data && listed.length > 0 ? listed.filter((key) => !keys.has(key)) : [];
  if (unknown.length === 0) return null;
  return (
    <Notice tone="warn" title={unknown.length === 1 ? 'The configuration lists an app that is not here' : 'The configuration lists apps that are not here'}
      actions={unknown.slice(0, 5).map((key) => <Button key={key} size="small" pending={changes.list.isPending} onClick={() => changes.list.mutate({ key, on: false })}>Take {key} from the list</Button>)}>
      <span className="font-mono">{unknown.join(', ')}</span>. Add it, or take it from the list.
    </Notice>
  );
}

function AppList({ admin, changes }: { admin: boolean; changes: AppChanges }) {
  const { organization, config } = useTenant();
  const list = useList('display_order.asc');
  const state = list.filter('state');
  const apps = useRows<App>(['apps', organization.id, state], list, () => {
    let query = rest.from('tenant_apps').select('id,app_key,app_name,app_route,app_icon,is_visible,is_enabled,display_order,config', { count: 'exact' }).eq('tenant_id', organization.id);
    if (state === 'on' || state === 'off') query = query.eq('is_enabled', state === 'on');
    if (state === 'hidden') query = query.eq('is_visible', false);
    return list.search ? query.or(containing(['app_name', 'app_key', 'app_route'], list.search)) : query;
  }, { unique: 'app_key' });
  const count = apps.data?.count ?? 0;
  const place = (app: App) => (list.page - 1) * list.size + (apps.data?.rows.indexOf(app) ?? 0);
  return (
    <Card flush>
      <DataTable label="Apps" list={list} rows={apps} rowKey={(app) => app.id} search="Search by name, key or route" filters={<StateFilter list={list} value={state} />}
        empty={<Empty title={state ? 'No app is so' : 'No apps yet'} icon={<Blocks className="size-5" />}>{state ? 'Try another filter.' : admin ? 'Add the first one: front ends show what is listed here.' : 'An admin can add some.'}</Empty>}
        columns={[
          ...(admin && inOrder(list, state) ? [mover(changes, place, count)] : []),
          { header: 'App', main: true, sort: 'app_name', cell: (app) => <span className="block min-w-0"><span className="block font-medium">{app.app_name}</span><span className="block font-mono text-xs text-muted">{app.app_key}</span></span> },
          { header: 'Route', sort: 'app_route', minor: true, cell: (app) => <span className="font-mono text-xs break-all">{app.app_route}</span> },
          { header: 'Icon', minor: true, cell: (app) => <span className="font-mono text-xs text-muted">{app.app_icon ?? '–'}</span> },
          { header: 'State', cell: (app) => { const { word, tone, why } = fate(app, config.enabled_apps); return <span title={why}><Badge dot tone={tone}>{word}</Badge></span>; } },
          ...(admin ? adminColumns(config.enabled_apps, changes) : []),
        ]} />
    </Card>
  );
}

/** Rows can be moved where they stand in their order, all of them. */
const inOrder = (list: List, state: string) => list.sort === 'display_order.asc' && !list.search && !state;

function mover(changes: AppChanges, place: (app: App) => number, count: number): Column<App> {
  return {
    header: 'Order', className: '!pr-0 w-px', cell: (app) => (
      <Mover name={app.app_name} first={place(app) === 0} last={place(app) === count - 1} move={(by) => changes.move.mutateAsync({ app, by })} />
    ),
  };
}

function adminColumns(listed: readonly string[], changes: AppChanges): Column<App>[] {
  return [
    { header: 'On', minor: true, sort: 'is_enabled', cell: (app) => <Switch label={`${app.app_name} is on`} checked={app.is_enabled} onCheckedChange={(on) => changes.enable.mutate({ app, on })} /> },
    { header: 'Shown', minor: true, sort: 'is_visible', cell: (app) => <Switch label={`${app.app_name} is shown`} checked={app.is_visible} onCheckedChange={(on) => changes.show.mutate({ app, on })} /> },
    { header: 'Listed', minor: true, cell: (app) => <Switch label={`${app.app_name} is listed`} checked={listed.includes(app.app_key)} onCheckedChange={(on) => changes.list.mutate({ key: app.app_key, on })} /> },
    { header: 'Actions', align: 'right', cell: (app) => <AppMenu app={app} listed={listed.includes(app.app_key)} changes={changes} /> },
  ];
}

function StateFilter({ list, value }: { list: List; value: string }) {
  return (
    <Select aria-label="State" className="!w-auto" value={value} onChange={(event) => list.set({ state: event.target.value })}>
      <option value="">All states</option><option value="on">On</option><option value="off">Off</option><option value="hidden">Hidden</option>
    </Select>
  );
}

function AppMenu({ app, listed, changes }: { app: App; listed: boolean; changes: AppChanges }) {
  const { organization } = useTenant();
  const [asked, ask] = useState<'edit' | 'remove'>();
  return (
    <>
      <RowMenu label={app.app_name}>
        <MenuItem onSelect={() => ask('edit')}>Edit…</MenuItem>
        <MenuItem onSelect={() => changes.enable.mutate({ app, on: !app.is_enabled })}>{app.is_enabled ? 'Switch off' : 'Switch on'}</MenuItem>
        <MenuItem onSelect={() => changes.show.mutate({ app, on: !app.is_visible })}>{app.is_visible ? 'Hide' : 'Show'}</MenuItem>
        <MenuItem onSelect={() => changes.list.mutate({ key: app.app_key, on: !listed })}>{listed ? 'Take from the list' : 'List in the configuration'}</MenuItem>
        <MenuItem danger onSelect={() => ask('remove')}>Remove…</MenuItem>
      </RowMenu>
      <Dialog open={asked === 'edit'} onOpenChange={(open) => ask(open ? 'edit' : undefined)} title={`Edit ${app.app_name}`} description={<span className="font-mono">{app.app_key}</span>}>
        {(close) => <AppForm app={app} changes={changes} close={close} />}
      </Dialog>
      <Confirm open={asked === 'remove'} onOpenChange={(open) => ask(open ? 'remove' : undefined)} title={`Remove ${app.app_name}?`} action="Remove"
        consequence={<>Members of {organization.name} lose it at once, in every page they have open, and its settings are gone. To take it away for a while, switch it off.</>} onConfirm={() => changes.remove.mutateAsync(app)} />
    </>
  );
}
