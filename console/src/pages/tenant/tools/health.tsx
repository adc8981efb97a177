import type { Database } from '@vital-db/client';
import { Badge, type Tone } from '../../../ui/badge';

/** A tool of the tenant or of the platform, and how it fared here in the last 30 days. */
export type Tool = Database['public']['Functions']['list_tools']['Returns'][number];

export const days = 30;

/** What is said of a tool's health, and what makes it so. */
export const healths: Record<string, { label: string; tone: Tone; why: string }> = {
  HEALTHY: { label: 'Healthy', tone: 'ok', why: '80 % or more of its calls succeed.' },
  DEGRADED: { label: 'Degraded', tone: 'warn', why: 'Between 50 and 80 % of its calls succeed.' },
  UNHEALTHY: { label: 'Unhealthy', tone: 'bad', why: 'Fewer than half of its calls succeed.' },
  UNUSED: { label: 'Unused', tone: 'neutral', why: `It was not called in the last ${days} days.` },
  DEPRECATED: { label: 'Deprecated', tone: 'warn', why: 'It should be used no longer.' },
  INACTIVE: { label: 'Switched off', tone: 'neutral', why: 'It is offered to nobody.' },
};

export function Health({ status }: { status: string }) {
  const { label, tone, why } = healths[status] ?? { label: status, tone: 'neutral' as const, why: '' };
  return <span title={why}><Badge dot tone={tone}>{label}</Badge></span>;
}
