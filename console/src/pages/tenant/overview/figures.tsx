import { Link } from '@tanstack/react-router';
import { useApps, useTenant } from '@vital-db/client/react';
import { Stat, Stats } from '../../../ui/card';
import { countOf, useAppCount, useUsage } from './usage';

/** How much there is of what the other pages list. What cannot be counted says so where the limits are. */
export function Figures() {
  const { config: { features } } = useTenant();
  const usable = useApps().length;
  const usage = useUsage().data;
  const apps = useAppCount().data;
  const used = (name: string) => { const row = usage?.get(name); return row && countOf(row); };
  const on = features.filter(({ enabled }) => enabled).length;
  return (
    <Stats>
      <Figure label="Members" page="members" value={used('members')} note="active" />
      <Figure label="Apps" page="apps" value={apps?.toLocaleString('en')} note={`${usable.toLocaleString('en')} in use`} />
      <Figure label="Flags" page="flags" value={features.length.toLocaleString('en')} note={`${on.toLocaleString('en')} switched on`} />
      <Figure label="Agents" page="agents" value={used('max_agents')} note="assigned" />
    </Stats>
  );
}

function Figure({ label, page, value, note }: { label: string; page: string; value: string | undefined; note: string }) {
  const { organization } = useTenant();
  return (
    <Stat label={label} note={note} value={(
      <Link to={`/t/$tenant/${page}` as string} params={{ tenant: organization.slug } as never} aria-label={`${label}: ${value ?? 'being counted'}`} className="after:absolute after:inset-0 after:rounded-card">
        {value ?? '…'}
      </Link>
    )} />
  );
}
