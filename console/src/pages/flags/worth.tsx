import type { Evaluation } from '@vital-db/client';
import type { FeatureDetails } from '@vital-db/client/react';
import { Badge } from '../../ui/badge';
import { Skeleton } from '../../ui/state';
import { day } from '../../ui/time';
import { isOver, reasons, short, type Flag, type Override } from './model';
import { usePreview } from './preview';

type Deciding = Pick<Override, 'enabled' | 'variant' | 'expires_at'>;

/** Whether it is the override that made a flag worth what it is. */
export function overrideDecides(flag: Pick<Flag, 'flag_type' | 'is_active'>, override: Deciding | undefined, { reason }: Pick<Evaluation, 'reason'>): boolean {
  if (!override || isOver(override) || !flag.is_active || (reason !== 'TARGETING_MATCH' && reason !== 'DISABLED')) return false;
  return override.enabled === false || override.variant !== null || (override.enabled === true && flag.flag_type === 'boolean');
}

/** The name in {@link reasons} of why a flag is worth what it is. */
export function reasonOf(flag: Pick<Flag, 'flag_type' | 'is_active'>, override: Deciding | undefined, evaluation: Pick<Evaluation, 'reason'>): string {
  return overrideDecides(flag, override, evaluation) ? 'OVERRIDE' : evaluation.reason ?? 'ERROR';
}

/** What a flag is worth to the user here and now, and why. */
export function Worth({ flag, override }: { flag: Pick<Flag, 'flag_key' | 'flag_type' | 'is_active'>; override: Deciding | undefined }) {
  const details = usePreview(flag.flag_key);
  if (details.status === 'loading') return <Skeleton className="h-4 w-24" />;
  if (details.status === 'error') return <span className="text-muted">unknown</span>;
  const reason = reasons[reasonOf(flag, override, details)];
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <Value details={details} />
      {reason && <Badge tone={reason.tone}>{reason.label}</Badge>}
    </span>
  );
}

export function Value({ details: { value, variant, errorCode } }: { details: FeatureDetails }) {
  if (errorCode) return <code className="font-mono text-xs text-bad">{errorCode}</code>;
  if (value === undefined) return <span className="text-muted">the code’s default</span>;
  const told = short(value);
  return (
    <span className="inline-flex min-w-0 items-baseline gap-1.5">
      <code className="max-w-48 truncate font-mono text-xs font-semibold" title={told}>{told}</code>
      {variant !== undefined && variant !== told && <span className="max-w-32 truncate text-xs text-muted" title={variant}>{variant}</span>}
    </span>
  );
}

/** What a tenant has of its own, in a few words. */
export function OverrideBrief({ override }: { override: Deciding | undefined }) {
  if (!override) return <span className="text-muted">–</span>;
  const said = [override.enabled === null ? undefined : override.enabled ? 'on' : 'off', override.variant ?? undefined].filter((word) => word !== undefined);
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      <Badge tone={isOver(override) ? 'neutral' : 'accent'}>{said.join(' · ') || 'settings only'}</Badge>
      {isOver(override) ? <span className="text-xs text-muted">ran out</span> : override.expires_at && <span className="text-xs text-muted">until {day.format(new Date(override.expires_at))}</span>}
    </span>
  );
}
