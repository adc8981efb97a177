import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { ArrowLeft, Flag as FlagIcon, Pencil, Power, PowerOff } from 'lucide-react';
import { done, told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Button, buttonClass } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm, Dialog } from '../../ui/dialog';
import { Notice } from '../../ui/notice';
import { Page } from '../../ui/page';
import { Empty, Loading, Problem } from '../../ui/state';
import { Time } from '../../ui/time';
import { History } from '../flags/history';
import { defaultOf, definitionFields, isOver, prerequisitesOf, short, variantsOf, type Flag as Definition } from '../flags/model';
import { usePreview } from '../flags/preview';
import { Rule } from '../flags/rule';
import { Schedule } from '../flags/schedule';
import { DefinitionForm } from './flag-form';
import { ScheduleDefinition } from './flag-schedule';
import { Usage } from './flag-usage';

/** The definition of one flag. */
export function Flag() {
  const { key = '' } = useParams({ strict: false }) as { key?: string };
  const flag = useQuery({
    queryKey: [...vitalKey, 'definition', key],
    queryFn: async ({ signal }) => (await told(rest.from('feature_flags').select('*').eq('flag_key', key).abortSignal(signal)))[0] ?? null,
  });
  const back = <Link to={'/operator/flags' as string} className={buttonClass('ghost')}><ArrowLeft className="size-4" aria-hidden />All flags</Link>;
  if (flag.error && !flag.data) return <Page title={key} actions={back}><Problem error={flag.error} retry={() => { void flag.refetch(); }} retrying={flag.isFetching} /></Page>;
  if (flag.data === undefined) return <Page title={key} actions={back}><Loading className="h-64" /></Page>;
  if (flag.data === null) return <Page title={key} actions={back}><Empty title="There is no such flag" icon={<FlagIcon className="size-5" />}>Check the address, or look for it among all flags.</Empty></Page>;
  return (
    <Page title={key} description={<>{flag.data.name && <b className="font-medium text-ink">{flag.data.name}. </b>}{flag.data.description}</>} actions={<>{back}<Edit flag={flag.data} /><KillSwitch flag={flag.data} /></>}>
      <Details key={key} flag={flag.data} />
    </Page>
  );
}

function Edit({ flag }: { flag: Definition }) {
  return (
    <Dialog wide trigger={<Button icon={<Pencil className="size-4" aria-hidden />}>Edit</Button>} title={`Edit ${flag.flag_key}`} description="A change holds in every tenant at once.">
      {(close) => <DefinitionForm flag={flag} close={close} />}
    </Dialog>
  );
}

/** The flags that need this one. */
function useDependents(flag: Definition): string[] {
  const dependents = useQuery({
    queryKey: [...vitalKey, 'dependents', flag.flag_key],
    queryFn: ({ signal }) => told(rest.from('feature_flags').select('flag_key').contains('prerequisites', JSON.stringify([{ flag_key: flag.flag_key }])).order('flag_key').abortSignal(signal)),
  });
  return dependents.data?.map(({ flag_key }) => flag_key) ?? [];
}

function KillSwitch({ flag }: { flag: Definition }) {
  const dependents = useDependents(flag);
  const set = useChange(({ active, reason }: { active: boolean; reason: string }) => told(rest.rpc('set_feature_flag', { p_flag_key: flag.flag_key, p_changes: { is_active: active }, p_reason: reason || undefined })),
    ({ is_active }) => `${flag.flag_key} is switched ${is_active ? 'on' : 'off'} for everybody`);
  if (!flag.is_active) {
    return (
      <Confirm danger={false} trigger={<Button variant="primary" icon={<Power className="size-4" aria-hidden />}>Switch on…</Button>} title={`Switch ${flag.flag_key} on?`} action="Switch on for everybody" reason="optional"
        consequence="Its rule, its default and the overrides of tenants hold again, in every tenant, at once." onConfirm={(reason) => set.mutateAsync({ active: true, reason })} />
    );
  }
  return (
    <Confirm trigger={<Button variant="danger" icon={<PowerOff className="size-4" aria-hidden />}>Switch off…</Button>} title={`Switch ${flag.flag_key} off for everybody?`} action="Switch off for everybody" reason="required"
      consequence={<div className="flex flex-col gap-2">
        <p>In every tenant, at once, in every page that is open, it has no value any more: the default in the application’s code holds. Overrides of tenants are kept, but do not hold while it is off, and cannot be changed.</p>
        {dependents.length > 0 && <p>Flags that need it fall back, too: <b className="font-medium break-all text-ink">{dependents.join(', ')}</b>.</p>}
        <p>It can be switched on again here.</p>
      </div>} onConfirm={(reason) => set.mutateAsync({ active: false, reason })} />
  );
}

function Details({ flag }: { flag: Definition }) {
  return (
    <>
      <Trouble flag={flag} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-5"><Facts flag={flag} /><Variants flag={flag} /><Needs flag={flag} /></div>
        <div className="flex min-w-0 flex-col gap-5">
          <Card title="Rule" description="The first step that holds decides. A tenant’s override goes before all of them."><Rule targeting={flag.targeting} names={variantsOf(flag).map(([name]) => name)} fallback={defaultOf(flag)} /></Card>
          <Usage flag={flag} />
        </div>
      </div>
      <Schedule id={['definition', flag.id]} action={<ScheduleDefinition flag={flag} />}
        query={() => rest.from('feature_flag_changes').select('id,changes,run_at,status,reason,error,created_by', { count: 'exact' }).eq('feature_flag_id', flag.id)}
        cancel={(id, reason) => done(rest.rpc('cancel_feature_flag_change', { p_id: id, p_reason: reason || undefined }))} />
      <DefinitionHistory flag={flag} />
    </>
  );
}

/** What to know before anything else. */
function Trouble({ flag }: { flag: Definition }) {
  const { errorCode, errorDetails } = usePreview(flag.flag_key);
  if (!flag.is_active) return <Notice tone="warn" title="Switched off for everybody">In every tenant the default in the application’s code holds.</Notice>;
  if (errorCode) return <Notice tone="bad" title={`It cannot be evaluated: ${errorCode}`}><p className="font-mono text-xs break-words">{errorDetails}</p><p>Every tenant gets the default in the application’s code. Correct the definition, or go back to an earlier version.</p></Notice>;
  return null;
}

function Facts({ flag }: { flag: Definition }) {
  const none = <span className="text-muted">–</span>;
  return (
    <Card title="Definition">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
        <dt className="text-muted">State</dt><dd><Badge dot tone={flag.is_active ? 'ok' : 'neutral'}>{flag.is_active ? 'active' : 'off'}</Badge></dd>
        <dt className="text-muted">Type</dt><dd>{flag.flag_type}</dd>
        <dt className="text-muted">Owner</dt><dd>{flag.owner ?? <Badge tone="warn">no owner</Badge>}</dd>
        <dt className="text-muted">To be gone by</dt><dd>{flag.expires_at ? <span className="inline-flex items-center gap-2"><Time at={flag.expires_at} />{isOver(flag) && <Badge tone="bad">expired</Badge>}</span> : none}</dd>
        <dt className="text-muted">Category</dt><dd>{flag.category ?? none}</dd>
        <dt className="text-muted">Tags</dt><dd className="flex flex-wrap gap-1.5">{flag.tags.length === 0 ? none : flag.tags.map((tag) => <Badge key={tag}>{tag}</Badge>)}</dd>
        <dt className="text-muted">Version</dt><dd><span className="tabular-nums">{flag.version}</span>, <Time at={flag.updated_at} /></dd>
      </dl>
    </Card>
  );
}

function Variants({ flag }: { flag: Definition }) {
  const fallback = defaultOf(flag);
  return (
    <Card title="Variants" description={fallback === null ? 'Without a default: where no rule decides, the one in the application’s code holds.' : undefined}>
      <dl className="flex flex-col divide-y divide-line text-sm">
        {variantsOf(flag).map(([name, value]) => (
          <div key={name} className="flex items-start justify-between gap-4 py-2 first:pt-0 last:pb-0">
            <dt className="flex flex-wrap items-center gap-2 font-medium"><span className="break-all">{name}</span>{name === fallback && <Badge tone="accent">default</Badge>}</dt>
            <dd className="min-w-0"><code className="font-mono text-xs break-all">{short(value)}</code></dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Needs({ flag }: { flag: Definition }) {
  const needed = prerequisitesOf(flag);
  const dependents = useDependents(flag);
  if (needed.length === 0 && dependents.length === 0) return null;
  const link = (key: string) => <Link to={'/operator/flags/$key' as string} params={{ key } as never} className="font-medium break-all underline">{key}</Link>;
  return (
    <Card title="Prerequisites">
      <ul className="flex flex-col gap-2 text-sm">
        {needed.map(({ flag_key, variants }) => <li key={flag_key} className="flex flex-wrap items-center gap-2"><span className="text-muted">It needs</span>{link(flag_key)}<span className="text-muted">at</span>{variants.map((variant) => <Badge key={variant}>{variant}</Badge>)}</li>)}
        {dependents.map((key) => <li key={key} className="flex flex-wrap items-center gap-2"><span className="text-muted">It is needed by</span>{link(key)}</li>)}
      </ul>
    </Card>
  );
}

function DefinitionHistory({ flag }: { flag: Definition }) {
  const rollback = useChange(({ version, reason }: { version: number; reason: string }) => told(rest.rpc('rollback_feature_flag', { p_flag_key: flag.flag_key, p_version: version, p_reason: reason || undefined })),
    (_flag, { version }) => `${flag.flag_key} is as it was at version ${version}`);
  return (
    <History of={{
      key: ['definition', flag.flag_key], name: 'the definition', fields: definitionFields, newest: flag.version, present: flag,
      versions: () => rest.rpc('feature_flag_history', { p_flag_key: flag.flag_key }, { count: 'exact' }),
      at: (versions, signal) => told(rest.from('feature_flag_versions').select('version,config').eq('feature_flag_id', flag.id).in('version', versions).abortSignal(signal)),
      rollback: (version, reason) => rollback.mutateAsync({ version, reason }),
    }} />
  );
}
