import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { ClipboardCheck, Flag as FlagIcon, Plus } from 'lucide-react';
import { told } from '../../api/answer';
import { containing, useList, useRows, type List } from '../../api/list';
import { rest } from '../../session/clients';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Dialog } from '../../ui/dialog';
import { Select } from '../../ui/field';
import { Page } from '../../ui/page';
import { Empty } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';
import { defaultOf, isOver, types, type Flag } from '../flags/model';
import { DefinitionForm } from './flag-form';

/** The monthly review, and every definition. */
export function Flags() {
  return (
    <Page title="Flag review" description="What is to be looked at this month, and every flag of the platform." actions={
      <Dialog wide trigger={<Button variant="primary" icon={<Plus className="size-4" aria-hidden />}>New flag</Button>} title="New flag" description="It is in every tenant as soon as it is made.">
        {(close) => <DefinitionForm close={close} />}
      </Dialog>
    }>
      <Review />
      <Definitions />
    </Page>
  );
}

interface Stale { flag_key: string; reasons: string[]; owner: string | null; expires_at: string | null; last_evaluated_on: string | null; variant: string | null; updated_at: string }

const why: Record<string, { label: string; tone: Tone; means: string }> = {
  never_evaluated: { label: 'never evaluated', tone: 'warn', means: 'Nobody has asked for it in all that time: take it out of the code, then switch it off.' },
  one_value: { label: 'one value', tone: 'info', means: 'Every tenant gets the same: write it into the code.' },
  inactive: { label: 'off for long', tone: 'neutral', means: 'It was switched off all that time.' },
  expired: { label: 'expired', tone: 'bad', means: 'Its end has passed.' },
  no_owner: { label: 'no owner', tone: 'warn', means: 'Nobody is there to decide about it.' },
};

function Review() {
  const list = useList('flag_key.asc', 'review', 10);
  const days = ['7', '30', '90'].includes(list.filter('days')) ? Number(list.filter('days')) : 30;
  const reason = list.filter('reason');
  const stale = useRows<Stale>(['stale-flags', days, reason], list, () => {
    let query = rest.rpc('stale_feature_flags', { p_days: days }, { count: 'exact' });
    if (reason) query = query.contains('reasons', [reason]);
    return list.search ? query.or(containing(['flag_key', 'owner'], list.search)) : query;
  }, { unique: 'flag_key' });
  return (
    <Card flush title="To review" description={`Flags that may have outlived their use, by the last ${days} days.`}>
      <DataTable label="Flags to review" list={list} rows={stale} rowKey={(f) => f.flag_key} search="Search by key or owner"
        filters={<>
          <Select aria-label="Reason" className="!w-auto" value={reason} onChange={(event) => list.set({ reason: event.target.value })}>
            <option value="">All reasons</option>{Object.entries(why).map(([name, { label }]) => <option key={name} value={name}>{label}</option>)}
          </Select>
          <Select aria-label="Days" className="!w-auto" value={days} onChange={(event) => list.set({ days: event.target.value })}>{[7, 30, 90].map((n) => <option key={n} value={n}>last {n} days</option>)}</Select>
        </>}
        empty={<Empty title="Nothing to review" icon={<ClipboardCheck className="size-5" />}>{reason ? 'No flag is here for that reason.' : 'Every flag has an owner, and is in use.'}</Empty>}
        columns={[
          { header: 'Flag', main: true, sort: 'flag_key', cell: (f) => <FlagLink flag={f.flag_key} /> },
          { header: 'Why', cell: (f) => <span className="flex flex-wrap gap-1.5">{f.reasons.map((name) => <span key={name} title={why[name]?.means}><Badge tone={why[name]?.tone}>{why[name]?.label ?? name}{name === 'one_value' && f.variant && `: ${f.variant}`}</Badge></span>)}</span> },
          { header: 'Owner', sort: 'owner', minor: true, cell: (f) => f.owner ?? <span className="text-muted">–</span> },
          { header: 'Last evaluated', sort: 'last_evaluated_on', minor: true, cell: (f) => (f.last_evaluated_on ? <span className="tabular-nums">{f.last_evaluated_on}</span> : <span className="text-muted">not in 90 days</span>) },
          { header: 'Changed', sort: 'updated_at', minor: true, cell: (f) => <Time at={f.updated_at} /> },
        ]} />
    </Card>
  );
}

type Row = Pick<Flag, 'id' | 'flag_key' | 'name' | 'flag_type' | 'variants' | 'default_variant' | 'default_enabled' | 'is_active' | 'owner' | 'expires_at' | 'version' | 'updated_at'>;

function Definitions() {
  const list = useList('flag_key.asc', 'all');
  const [active, type, owner] = ['active', 'type', 'owner'].map(list.filter);
  const flags = useRows<Row>(['definitions', active, type, owner], list, () => {
    let query = rest.from('feature_flags').select('id,flag_key,name,flag_type,variants,default_variant,default_enabled,is_active,owner,expires_at,version,updated_at', { count: 'exact' });
    if (active) query = query.eq('is_active', active === 'yes');
    if (type) query = query.eq('flag_type', type);
    if (owner) query = owner === nobody ? query.is('owner', null) : query.eq('owner', owner);
    return list.search ? query.or(containing(['flag_key', 'name', 'description', 'owner'], list.search)) : query;
  });
  return (
    <Card flush title="All flags">
      <DataTable label="All flags" list={list} rows={flags} rowKey={(f) => f.id} search="Search by key, name or owner" filters={<Filters list={list} />}
        empty={<Empty title={active || type || owner ? 'No flag is like that' : 'There are no flags'} icon={<FlagIcon className="size-5" />}>{active || type || owner ? 'Choose another filter.' : 'Make the first one.'}</Empty>}
        columns={[
          { header: 'Flag', main: true, sort: 'flag_key', cell: (f) => <FlagLink flag={f.flag_key} name={f.name} /> },
          { header: 'State', sort: 'is_active', cell: (f) => <span className="flex flex-wrap gap-1.5"><Badge dot tone={f.is_active ? 'ok' : 'neutral'}>{f.is_active ? 'active' : 'off'}</Badge>{isOver(f) && <Badge tone="bad">expired</Badge>}</span> },
          { header: 'Type', sort: 'flag_type', minor: true, cell: (f) => f.flag_type },
          { header: 'Default', minor: true, cell: (f) => defaultOf(f) ?? <span className="text-muted">the code’s</span> },
          { header: 'Owner', sort: 'owner', minor: true, cell: (f) => f.owner ?? <span className="text-muted">–</span> },
          { header: 'Version', sort: 'version', align: 'right', minor: true, cell: (f) => f.version },
          { header: 'Changed', sort: 'updated_at', minor: true, cell: (f) => <Time at={f.updated_at} /> },
        ]} />
    </Card>
  );
}

/** What the filter by owner says for none; no owner is called so, as names have no such sign. */
const nobody = '\u2205';

function Filters({ list }: { list: List }) {
  const owners = useQuery({
    queryKey: [...vitalKey, 'flag-owners'],
    queryFn: ({ signal }) => told(rest.from('feature_flags').select('owner,count()').not('owner', 'is', null).order('owner').limit(200).abortSignal(signal).returns<{ owner: string }[]>()),
  });
  const choice = (name: string, label: string, options: [string, string][]) => (
    <Select aria-label={label} className="!w-auto max-w-44" value={list.filter(name)} onChange={(event) => list.set({ [name]: event.target.value })}>
      {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </Select>
  );
  return (
    <>
      {choice('active', 'State', [['', 'All states'], ['yes', 'Active'], ['no', 'Switched off']])}
      {choice('type', 'Type', [['', 'All types'], ...types.map((type): [string, string] => [type, type])])}
      {choice('owner', 'Owner', [['', 'All owners'], [nobody, 'No owner'], ...(owners.data ?? []).map(({ owner }): [string, string] => [owner, owner])])}
    </>
  );
}

function FlagLink({ flag, name }: { flag: string; name?: string | null }) {
  return (
    <Link to={'/operator/flags/$key' as string} params={{ key: flag } as never} className="group flex flex-col">
      <span className="font-medium break-all group-hover:underline">{flag}</span>
      {name && <span className="text-xs break-words text-muted">{name}</span>}
    </Link>
  );
}
