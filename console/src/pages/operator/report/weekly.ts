// A weekly report, as `vital report weekly --format json` prints it and the schema weekly_report describes it.
import type { Tone } from '../../../ui/badge';

export type GateStatus = 'pass' | 'fail' | 'unknown' | 'pending';

export interface Metric {
  name: string; gate: string; value: number | null; week_before: number | null; unit: string; target: string; status: GateStatus; better: 'lower' | 'higher';
}

export interface Day {
  day: string; loads: number; p50_ms: number | null; p95_ms: number | null; p99_ms: number | null; cache_hit_rate: number | null; error_rate: number | null;
}

export interface Weekly {
  week: string; from: string; until: string; phase: { phase: number; name: string }; status: string; reasons: string[] | null; accomplishments: string[] | null;
  metrics: Metric[]; blockers: { gate: string; what: string; evidence: string; next: string }[] | null; plan: string[] | null;
  risks: { risk: string; likelihood: string; impact: string; mitigation: string; status: GateStatus; evidence: string }[];
  days: Day[] | null;
}

/** A report as it is kept: whole, or so far where the week was not over. */
export interface KeptWeekly { report: Weekly; is_over: boolean; made_at: string }

export interface Kept { week: string; status: string; is_over: boolean; made_at: string }

const statuses: Record<string, { label: string; tone: Tone }> = {
  ON_TRACK: { label: 'On track', tone: 'ok' }, AT_RISK: { label: 'At risk', tone: 'warn' }, BLOCKED: { label: 'Blocked', tone: 'bad' },
};

export function statusOf(status: string): { label: string; tone: Tone } {
  return statuses[status] ?? { label: status, tone: 'neutral' };
}

export const gateTones: Record<string, Tone> = { pass: 'ok', fail: 'bad', unknown: 'warn', pending: 'neutral' };
export const gateWords: Record<string, string> = { pass: 'pass', fail: 'fail', unknown: 'not measured', pending: 'to be signed' };

/** A number as people write it: three digits that count. */
export function figure(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** By how much a figure gets worse before that is a risk. */
const worse = 0.2;

/** By what part a figure changed against the week before, and what that means, as the report judges it; undefined where it is not known. */
export function trendOf({ value, week_before: before, better, gate }: Metric): { part: number; meaning: 'better' | 'worse' | undefined } | undefined {
  if (value === null || before === null || before === 0) return undefined;
  const part = (value - before) / before;
  const loss = better === 'lower' ? part : -part;
  return { part, meaning: gate === 'load_log' ? undefined : loss < 0 ? 'better' : loss > worse ? 'worse' : undefined };
}

/** The Monday and the Sunday of a report, or the day until which it goes. */
export function spanOf({ from, until }: Pick<Weekly, 'from' | 'until'>): string {
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
  const [first, last] = [day.format(new Date(from)), day.format(new Date(new Date(until).getTime() - 1))];
  return `${first === last ? first : `${first} to ${last}`} ${new Date(from).getUTCFullYear()}`;
}

/** When each day of the week that begins at `from` begins, in seconds. */
export function daysFrom(from: string): number[] {
  return Array.from({ length: 7 }, (_, day) => Date.parse(from) / 1000 + day * 86_400);
}
