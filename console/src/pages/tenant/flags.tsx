import { Link } from '@tanstack/react-router';
import { useRole, useTenant, useUser } from '@vital-db/client/react';
import { Flag as FlagIcon } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest, vital } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Card } from '../../ui/card';
import { Select, Switch } from '../../ui/field';
import { Failure } from '../../ui/notice';
import { Page } from '../../ui/page';
import { Empty } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { defaultOf, isOver, short, types, variantsOf, type Flag, type Override } from '../flags/model';
import { usePreview } from '../flags/preview';
import { OverrideBrief, Worth } from '../flags/worth';

type Row = Pick<Flag, 'id' | 'flag_key' | 'name' | 'flag_type' | 'variants' | 'default_variant' | 'default_enabled' | 'is_active'> & { override: Pick<Override, 'enabled' | 'variant' | 'expires_at'>[] };

/** What is switched on here, and why. */
export function Flags() {
  return (
    <Page title="Flags" description="What the platform’s feature flags are worth in this tenant. Values are those for you; rules may give others something else.">
      <FlagList />
    </Page>
  );
}

function FlagList() {
  const { organization } = useTenant();
  const admin = useRole('admin');
  const list = useList('flag_key.asc');
  const [override, type, active] = ['override', 'type', 'active'].map(list.filter);
  const flags = useRows<Row>(['flags', organization.id, override, type, active], list, () => {
    let query = rest.from('feature_flags').select('id,flag_key,name,flag_type,variants,default_variant,default_enabled,is_active,override:tenant_feature_flags!left(enabled,variant,expires_at)', { count: 'exact' })
      .eq('override.tenant_id', organization.id);
    if (override === 'yes') query = query.not('override', 'is', null);
    if (override === 'no') query = query.is('override', null);
    if (type) query = query.eq('flag_type', type);
    if (active) query = query.eq('is_active', active === 'yes');
    return list.search ? query.or(containing(['flag_key', 'name', 'description'], list.search)) : query;
  });
  const [failure, fail] = useState<{ error: Error; flag: string }>();
  return (
    <>
      {failure && <Failure error={failure.error} what={`${failure.flag} was not switched`} onDismiss={() => fail(undefined)} />}
      <Card flush>
        <DataTable label="Flags" list={list} rows={flags} rowKey={(f) => f.id} search="Search by key or name" filters={<Filters list={list} />}
          empty={<Empty title={override || type || active ? 'No flag is like that' : 'There are no flags'} icon={<FlagIcon className="size-5" />}>{override || type || active ? 'Choose another filter.' : 'The platform’s operators define them.'}</Empty>}
          columns={[
            { header: 'Flag', main: true, sort: 'flag_key', cell: (f) => <FlagName flag={f} tenant={organization.slug} /> },
            { header: 'Type', sort: 'flag_type', minor: true, cell: (f) => <Badge>{f.flag_type}</Badge> },
            { header: 'Default', minor: true, cell: (f) => <Default flag={f} /> },
            { header: 'Override', minor: true, cell: (f) => <OverrideBrief override={f.override[0]} /> },
            { header: 'For you now', cell: (f) => <Worth flag={f} override={f.override[0]} /> },
            ...(admin ? [{ header: 'Switch', align: 'right' as const, cell: (f: Row) => <FlagSwitch flag={f} fail={(error) => fail(error && { error, flag: f.flag_key })} /> }] : []),
          ]} />
      </Card>
    </>
  );
}

function Filters({ list }: { list: List }) {
  const operator = useUser().role === 'super_admin';
  const choice = (name: string, label: string, options: [string, string][]) => (
    <Select aria-label={label} className="!w-auto" value={list.filter(name)} onChange={(event) => list.set({ [name]: event.target.value })}>
      {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </Select>
  );
  return (
    <>
      {choice('override', 'Override', [['', 'With and without override'], ['yes', 'Overridden'], ['no', 'Not overridden']])}
      {choice('type', 'Type', [['', 'All types'], ...types.map((type): [string, string] => [type, type])])}
      {operator && choice('active', 'State', [['', 'All states'], ['yes', 'Active'], ['no', 'Switched off']])}
    </>
  );
}

function FlagName({ flag, tenant }: { flag: Row; tenant: string }) {
  return (
    <Link to={'/t/$tenant/flags/$key' as string} params={{ tenant, key: flag.flag_key } as never} className="group flex flex-col">
      <span className="font-medium break-all group-hover:underline">{flag.flag_key}{!flag.is_active && <span className="ml-2 align-middle"><Badge>off for everybody</Badge></span>}</span>
      {flag.name && <span className="text-xs break-words text-muted">{flag.name}</span>}
    </Link>
  );
}

function Default({ flag }: { flag: Row }) {
  const name = defaultOf(flag);
  const value = short(variantsOf(flag).find(([variant]) => variant === name)?.[1]);
  return name === null ? <span className="text-muted">the code’s</span> : <span className="inline-flex items-baseline gap-1.5"><code className="max-w-40 truncate font-mono text-xs" title={value}>{value}</code>{value !== name && <span className="text-xs text-muted">{name}</span>}</span>;
}

/** Shows at once what was asked for, and goes back when that was refused. What the flag came to is the server's to say. */
function FlagSwitch({ flag, fail }: { flag: Row; fail: (error: Error | undefined) => void }) {
  const { status, value, reason, errorCode } = usePreview(flag.flag_key);
  const toggle = useChange((enabled: boolean) => vital.features.toggle(flag.flag_key, enabled), (_row, enabled) => `${flag.flag_key} is switched ${enabled ? 'on' : 'off'} here`);
  const override = flag.override[0];
  if (flag.flag_type !== 'boolean' || !flag.is_active) return null;
  if (override && !isOver(override) && override.variant !== null) return <span className="text-xs text-muted">by variant</span>;
  if (reason === 'PREREQUISITE_FAILED') return <span className="text-xs text-muted" title="A flag that it needs has not the value it needs: switching this one would change nothing.">needs another</span>;
  return (
    <Switch label={`${flag.flag_key} in this tenant`} checked={toggle.isPending ? toggle.variables : value === true} disabled={status !== 'ready' || errorCode !== undefined} aria-busy={toggle.isPending || undefined}
      onCheckedChange={(enabled) => { fail(undefined); toggle.mutate(enabled, { onError: fail }); }} />
  );
}
