import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useRole, useTenant, useUser, vitalKey } from '@vital-db/client/react';
import { ArrowLeft, Flag as FlagIcon, PowerOff } from 'lucide-react';
import { done, told } from '../../api/answer';
import { useChange } from '../../api/change';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { buttonClass } from '../../ui/button';
import { Card } from '../../ui/card';
import { Json } from '../../ui/json';
import { Page } from '../../ui/page';
import { Empty, Loading, Problem, Skeleton } from '../../ui/state';
import { Time } from '../../ui/time';
import { History } from '../flags/history';
import { asObject, defaultOf, isOver, overrideFields, prerequisitesOf, reasons, short, variantsOf, type Flag as Definition, type Override } from '../flags/model';
import { usePreview } from '../flags/preview';
import { Rule } from '../flags/rule';
import { Schedule } from '../flags/schedule';
import { overrideDecides, reasonOf, Value } from '../flags/worth';
import { OverrideCard } from './flag-override';
import { ScheduleOverride } from './flag-schedule';

/** One flag: what it is worth in this tenant and why, and what the tenant has of its own. */
export function Flag() {
  const { key = '' } = useParams({ strict: false }) as { key?: string };
  const { organization } = useTenant();
  const flag = useQuery({
    queryKey: [...vitalKey, 'flag', organization.id, key],
    queryFn: async ({ signal }) => {
      const [found] = await told(rest.from('feature_flags').select('*,override:tenant_feature_flags!left(*)').eq('override.tenant_id', organization.id).eq('flag_key', key).abortSignal(signal));
      return found ?? null;
    },
  });
  const back = <Link to={'/t/$tenant/flags' as string} params={{ tenant: organization.slug } as never} className={buttonClass('ghost')}><ArrowLeft className="size-4" aria-hidden />All flags</Link>;
  if (flag.error && !flag.data) return <Page title={key} actions={back}><Problem error={flag.error} retry={() => { void flag.refetch(); }} retrying={flag.isFetching} /></Page>;
  if (flag.data === undefined) return <Page title={key} actions={back}><Loading className="h-64" /></Page>;
  if (flag.data === null) return <Page title={key} actions={back}><Missing flag={key} /></Page>;
  const { override, ...definition } = flag.data;
  return (
    <Page title={key} actions={back} description={<>{definition.name && <b className="font-medium text-ink">{definition.name}. </b>}{definition.description}</>}>
      <Details key={key} flag={definition} override={override[0]} />
    </Page>
  );
}

/** Users see active flags only; that one was switched off, its evaluation tells. */
function Missing({ flag }: { flag: string }) {
  const { status, reason } = usePreview(flag);
  if (status === 'loading') return <Loading />;
  if (reason === 'DISABLED') return <Empty title="Switched off for everybody" icon={<PowerOff className="size-5" />}>The platform’s operators have switched this flag off: in every tenant the default in the application’s code holds. What this tenant had of its own is kept.</Empty>;
  return <Empty title="There is no such flag" icon={<FlagIcon className="size-5" />}>Check the address, or look for it among all flags.</Empty>;
}

function Details({ flag, override }: { flag: Definition; override: Override | undefined }) {
  const { organization } = useTenant();
  const admin = useRole('admin');
  return (
    <>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-5">
          <Here flag={flag} override={override} />
          {admin ? <OverrideCard flag={flag} override={override} /> : <OverrideShown override={override} />}
        </div>
        <div className="flex min-w-0 flex-col gap-5"><Why flag={flag} override={override} /><Prerequisites flag={flag} /><Variants flag={flag} /></div>
      </div>
      {admin && (
        <>
          <Schedule id={[organization.id, flag.id]} action={flag.is_active && <ScheduleOverride flag={flag} override={override} />}
            query={() => rest.from('tenant_feature_flag_changes').select('id,changes,run_at,status,reason,error,created_by', { count: 'exact' }).eq('tenant_id', organization.id).eq('feature_flag_id', flag.id)}
            cancel={(id, reason) => done(rest.rpc('cancel_tenant_feature_change', { p_id: id, p_reason: reason || undefined }))} />
          <OverrideHistory flag={flag} override={override} />
        </>
      )}
    </>
  );
}

function Here({ flag, override }: { flag: Definition; override: Override | undefined }) {
  const details = usePreview(flag.flag_key);
  const reason = reasons[reasonOf(flag, override, details)];
  return (
    <Card title="For you, here and now" actions={<Badge>{flag.flag_type}</Badge>}>
      {details.status === 'loading' ? <Skeleton className="h-14" /> : details.status === 'error' ? <p className="text-sm text-muted">What it is worth could not be had: {details.error?.message}</p> : (
        <div className="flex flex-col gap-2">
          <p className="flex flex-wrap items-baseline gap-x-3 gap-y-1 text-lg [&_code]:text-base"><Value details={details} /></p>
          {reason && <p className="flex flex-wrap items-center gap-2 text-sm"><Badge tone={reason.tone}>{reason.label}</Badge>{reason.means}</p>}
          {details.errorDetails && <p className="font-mono text-xs break-words text-bad">{details.errorDetails}</p>}
          {typeof details.value === 'object' && <Json label="Value" value={details.value} />}
        </div>
      )}
    </Card>
  );
}

function Why({ flag, override }: { flag: Definition; override: Override | undefined }) {
  const details = usePreview(flag.flag_key);
  const decides = overrideDecides(flag, override, details);
  return (
    <Card title="Rule" description={decides ? 'Of the whole platform. The override of this tenant goes before it.' : 'Of the whole platform. The first step that holds decides.'}>
      <Rule targeting={flag.targeting} names={variantsOf(flag).map(([name]) => name)} fallback={defaultOf(flag)} current={!decides && details.reason === 'TARGETING_MATCH' ? details.variant : undefined} />
    </Card>
  );
}

function Prerequisites({ flag }: { flag: Definition }) {
  const { organization } = useTenant();
  const needed = prerequisitesOf(flag);
  if (needed.length === 0) return null;
  return (
    <Card title="Needs" description="Until each of these has one of its values, this flag is off or at its default.">
      <ul className="flex flex-col gap-2 text-sm">
        {needed.map(({ flag_key, variants }) => (
          <li key={flag_key} className="flex flex-wrap items-center gap-2">
            <Link to={'/t/$tenant/flags/$key' as string} params={{ tenant: organization.slug, key: flag_key } as never} className="font-medium break-all underline">{flag_key}</Link>
            <span className="text-muted">at</span>{variants.map((variant) => <Badge key={variant}>{variant}</Badge>)}<Met flag={flag_key} variants={variants} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Met({ flag, variants }: { flag: string; variants: string[] }) {
  const { status, variant } = usePreview(flag);
  if (status !== 'ready') return null;
  return variant !== undefined && variants.includes(variant) ? <Badge dot tone="ok">met</Badge> : <Badge dot tone="warn">not met: {variant ?? 'no value'}</Badge>;
}

function Variants({ flag }: { flag: Definition }) {
  const { variant: current } = usePreview(flag.flag_key);
  const fallback = defaultOf(flag);
  return (
    <Card title="Variants">
      <dl className="flex flex-col divide-y divide-line text-sm">
        {variantsOf(flag).map(([name, value]) => (
          <div key={name} className="flex items-start justify-between gap-4 py-2 first:pt-0 last:pb-0">
            <dt className="flex flex-wrap items-center gap-2 font-medium"><span className="break-all">{name}</span>{name === fallback && <Badge>default</Badge>}{name === current && <Badge tone="accent">yours</Badge>}</dt>
            <dd className="min-w-0"><code className="font-mono text-xs break-all">{short(value)}</code></dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

/** The override, to those who may not change it. */
function OverrideShown({ override }: { override: Override | undefined }) {
  const user = useUser();
  return (
    <Card title="Override" description="What this tenant has instead of the rule and the default. Its admins change it.">
      {!override ? <p className="text-sm text-muted">None.</p> : (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-2 text-sm">
          <dt className="text-muted">Switch</dt><dd>{override.enabled === null ? 'not said' : override.enabled ? 'on' : 'off'}</dd>
          <dt className="text-muted">Variant</dt><dd>{override.variant ?? 'not said'}</dd>
          {override.expires_at && <><dt className="text-muted">{isOver(override) ? 'Ran out' : 'Ends'}</dt><dd><Time at={override.expires_at} /></dd></>}
          {override.reason && <><dt className="text-muted">Why</dt><dd className="break-words">{override.reason}</dd></>}
          <dt className="text-muted">Since</dt><dd><Time at={override.updated_at} />{override.created_by === user.id && ', by you'}</dd>
          {Object.keys(asObject(override.config)).length > 0 && <><dt className="text-muted">Settings</dt><dd><Json label="Settings" value={override.config} /></dd></>}
        </dl>
      )}
    </Card>
  );
}

function OverrideHistory({ flag, override }: { flag: Definition; override: Override | undefined }) {
  const { organization } = useTenant();
  const newest = useQuery({
    queryKey: [...vitalKey, 'newest', organization.id, flag.id],
    queryFn: async ({ signal }) => (await told(rest.from('tenant_feature_flag_versions').select('version').eq('tenant_id', organization.id).eq('feature_flag_id', flag.id).order('version', { ascending: false }).limit(1).abortSignal(signal)))[0]?.version ?? 0,
  });
  const rollback = useChange(({ version, reason }: { version: number; reason: string }) => done(rest.rpc('rollback_tenant_feature', { p_flag_key: flag.flag_key, p_version: version, p_reason: reason || undefined })),
    (_done, { version }) => `The override is as it was at version ${version}`);
  return (
    <History of={{
      key: ['override', organization.id, flag.flag_key], name: 'the override', fields: overrideFields, newest: newest.data ?? 0, present: override,
      versions: () => rest.rpc('tenant_feature_history', { p_flag_key: flag.flag_key }, { count: 'exact' }),
      at: (versions, signal) => told(rest.from('tenant_feature_flag_versions').select('version,config').eq('tenant_id', organization.id).eq('feature_flag_id', flag.id).in('version', versions).abortSignal(signal)),
      rollback: (version, reason) => rollback.mutateAsync({ version, reason }),
    }} />
  );
}
