// The checks there are, and what their runs say.
import type { Tone } from '../../../ui/badge';
import type { Finding } from '../findings';

export interface Check {
  name: string;
  title: string;
  /** What it looks at. */
  about: string;
  /** How to look closer, where there is a way. */
  command?: string;
  /** Whether a server runs it when it is asked to. */
  onDemand: boolean;
}

export const checks: Check[] = [
  { name: 'schema', title: 'Schema', about: 'Whether every column is as its rule says.', command: 'vital check schema', onDemand: true },
  { name: 'rls', title: 'Row-level security', about: 'Whether anything in the database lets one tenant see another.', command: 'vital check rls', onDemand: true },
  { name: 'data', title: 'Data', about: 'Whether rows fit together, and every tenant has what it needs.', command: 'vital check data', onDemand: true },
  { name: 'drift', title: 'Drift', about: 'Whether the database is what its migrations make.', command: 'vital check drift', onDemand: true },
  { name: 'proof', title: 'Proof', about: 'Whether attacks of one tenant on another get through.', command: 'vital rls prove', onDemand: false },
  { name: 'scale', title: 'Scale', about: 'Whether it holds with as many tenants as there may be.', onDemand: false },
];

/** A run, without its findings. */
export interface Run { id: string; check_name: string; status: string; findings: number; duration_ms: number; ran_at: string }

export const runColumns = 'id,check_name,status,findings,duration_ms,ran_at';

/** The findings in what was kept of a run. */
export function findingsOf(details: unknown): Finding[] {
  if (!Array.isArray(details)) return [];
  return details.filter((kept: unknown): kept is Finding => typeof kept === 'object' && kept !== null && 'check' in kept && 'object' in kept && 'detail' in kept);
}

export const statuses = ['ok', 'findings', 'failed'];

export function toneOf(status: string): Tone {
  return status === 'ok' ? 'ok' : status === 'findings' ? 'bad' : 'warn';
}

export function saidOf({ status, findings }: Pick<Run, 'status' | 'findings'>): string {
  if (status === 'ok') return 'ok';
  if (status === 'failed') return 'could not be run';
  return `${findings.toLocaleString('en')} ${findings === 1 ? 'finding' : 'findings'}`;
}

export function titleOf(name: string): string {
  return checks.find((check) => check.name === name)?.title ?? name;
}
