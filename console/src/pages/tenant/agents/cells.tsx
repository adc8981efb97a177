import { useTenant } from '@vital-db/client/react';
import { Badge, type Tone } from '../../../ui/badge';
import { Select } from '../../../ui/field';
import type { List } from '../../../api/list';
import { platform, type Agent } from './data';

const tones: Record<string, Tone> = { active: 'ok', draft: 'info', retired: 'neutral' };

export function Status({ status }: { status: string }) {
  return <Badge dot tone={tones[status]}>{status}</Badge>;
}

/** An agent: its name, what it is for, and whether it is the platform's. */
export function AgentName({ agent }: { agent: Agent }) {
  const { organization } = useTenant();
  return (
    <span className="block">
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium">{agent.name}{agent.tenant_id === platform && organization.id !== platform && <Badge>platform</Badge>}{agent.status === 'retired' && <Status status={agent.status} />}</span>
      <span className="line-clamp-2 text-xs text-muted" title={agent.description ?? undefined}>{agent.description || agent.slug}</span>
      <span className="mt-0.5 block text-xs text-muted md:hidden">Tier <Tier tier={agent.tier} /></span>
    </span>
  );
}

/** A tier, and whether the tenant may assign agents of it. */
export function Tier({ tier }: { tier: number }) {
  const { config } = useTenant();
  const enabled = config.enabled_agent_tiers.includes(tier);
  return <span className="whitespace-nowrap tabular-nums">{tier}{!enabled && <span className="ml-1.5"><Badge tone="warn">not enabled</Badge></span>}</span>;
}

export function TierFilter({ list }: { list: List }) {
  return (
    <Select aria-label="Tier" className="!w-auto" value={list.filter('tier')} onChange={(event) => list.set({ tier: event.target.value })}>
      <option value="">All tiers</option>
      {Array.from({ length: 9 }, (_, n) => <option key={n} value={n + 1}>Tier {n + 1}</option>)}
    </Select>
  );
}
