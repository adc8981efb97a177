import { Link } from '@tanstack/react-router';
import { useApps, useRole, useTenant } from '@vital-db/client/react';
import { Check, Minus } from 'lucide-react';
import { Badge } from '../../../ui/badge';
import { buttonClass } from '../../../ui/button';
import { Card, Fact, Facts } from '../../../ui/card';

/** How the tenant looks, as it was set up. */
export function Theme() {
  const { organization, config: { ui_config: look } } = useTenant();
  const admin = useRole('admin');
  const colour = look.primary_color && /^#[0-9a-f]{6}$/i.test(look.primary_color) ? look.primary_color : undefined;
  const own = Object.keys(look.custom ?? {}).length;
  return (
    <Card title="Look" actions={admin && <ToPage to="/t/$tenant/settings" label="Change settings" />}>
      <div className="flex items-center gap-3.5">
        {colour && <span aria-hidden className="size-12 shrink-0 rounded-xl border border-line shadow-card" style={{ backgroundColor: colour }} />}
        <div className="min-w-0"><p className="truncate font-medium">{organization.name}</p><p className="font-mono text-xs text-muted">{look.primary_color ?? 'no colour of its own'}</p></div>
      </div>
      <div className="mt-4">
        <Facts>
          <Fact label="Theme"><span className="font-mono text-xs">{look.theme ?? '–'}</span></Fact>
          <Fact label="Keys of your own">{own === 0 ? <span className="font-normal text-muted">none</span> : own}</Fact>
          <Fact label="Logo" wide>{look.logo_url ? <span className="font-mono text-xs font-normal break-all">{look.logo_url}</span> : <span className="font-normal text-muted">none</span>}</Fact>
        </Facts>
      </div>
    </Card>
  );
}

/** The regimes a tenant is under. */
export function Regimes() {
  const { config: { compliance_settings: set } } = useTenant();
  const own = Object.entries(set.custom ?? {});
  return (
    <Card title="Compliance">
      <ul className="flex flex-col gap-2.5 text-sm">
        {[{ name: 'GDPR', on: set.gdpr_enabled, what: 'Personal data of people in the EU' }, { name: 'HIPAA', on: set.hipaa_enabled, what: 'US health data' }].map(({ name, on, what }) => (
          <li key={name} className="flex items-center gap-3">
            <span aria-hidden className={`grid size-7 shrink-0 place-items-center rounded-full ${on ? 'bg-ok-soft text-ok' : 'bg-sunken text-muted'}`}>{on ? <Check className="size-4" /> : <Minus className="size-4" />}</span>
            <span className="min-w-0 grow"><b className="block font-medium">{name}</b><span className="block text-xs text-muted">{what}</span></span>
            <Badge tone={on ? 'ok' : 'neutral'}>{on ? 'applies' : 'does not apply'}</Badge>
          </li>
        ))}
        {own.length > 0 && <li className="text-xs text-muted">And of your own: <span className="font-mono">{own.map(([key]) => key).join(', ')}</span></li>}
      </ul>
    </Card>
  );
}

/** The apps members can use, and the features that are on beside flags. */
export function InUse() {
  const apps = useApps();
  const { config: { enabled_features: features } } = useTenant();
  return (
    <Card title="What members have" actions={<ToPage to="/t/$tenant/apps" label="All apps" />}>
      {apps.length === 0 ? <p className="text-sm text-muted">No app is in use.</p> : (
        <ul aria-label="Apps in use" className="flex flex-wrap gap-2">
          {apps.map((app) => <li key={app.app_key} className="flex max-w-full items-baseline gap-2 rounded-lg border border-line bg-sunken px-2.5 py-1.5 text-sm"><span className="truncate font-medium">{app.app_name}</span><span className="truncate font-mono text-xs text-muted">{app.app_route}</span></li>)}
        </ul>
      )}
      {features.length > 0 && <div className="mt-4"><p className="mb-1.5 text-xs text-muted">Features that are on beside flags</p><ul aria-label="Features that are on" className="flex flex-wrap gap-1.5">{features.map((name) => <li key={name}><Badge>{name}</Badge></li>)}</ul></div>}
    </Card>
  );
}

export function ToPage({ to, label }: { to: string; label: string }) {
  const { organization } = useTenant();
  return <Link to={to} params={{ tenant: organization.slug } as never} className={buttonClass('secondary', 'small')}>{label}</Link>;
}
