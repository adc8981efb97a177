// What of the loads is looked at: since when, of which tenant, and how often it is read again.
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import type { Database } from '@vital-db/client';
import { told } from '../../api/answer';
import { rest } from '../../session/clients';

type Functions = Database['public']['Functions'];
export type Span = Functions['get_load_timeline']['Returns'][number];
export type Figures = Functions['get_load_stats']['Returns'][number];

export interface Range { hours: number; label: string; /** Spans of the timeline. */ spans: number; /** How often it is read again, in milliseconds: what is more to count is counted more seldom. */ every: number }

export const ranges: Range[] = [
  { hours: 1, label: 'Last hour', spans: 60, every: 5_000 }, { hours: 6, label: 'Last 6 hours', spans: 72, every: 10_000 }, { hours: 24, label: 'Last 24 hours', spans: 96, every: 30_000 },
  { hours: 168, label: 'Last 7 days', spans: 84, every: 120_000 }, { hours: 720, label: 'Last 30 days', spans: 120, every: 300_000 },
];

export interface Scope { /** The tenant whose loads they are; undefined for all tenants'. */ tenant: string | undefined; range: Range; /** False while it is paused. */ live: boolean }

export const refetched = ({ range, live }: Scope): number | false => (live ? range.every : false);

export const since = ({ range }: Scope): string => new Date(Date.now() - range.hours * 3_600_000).toISOString();

/** How the loads fared over time. */
export function useTimeline(scope: Scope): UseQueryResult<Span[]> {
  const { tenant, range } = scope;
  return useQuery({
    queryKey: [...vitalKey, 'load', 'timeline', tenant, range.hours],
    queryFn: ({ signal }) => told(rest.rpc('get_load_timeline', { p_hours: range.hours, p_buckets: range.spans, p_tenant_id: tenant }, { get: true }).abortSignal(signal)),
    refetchInterval: refetched(scope),
    placeholderData: (before) => before,
  });
}

/** How the loads fared altogether; undefined where there were none. */
export function useTotals(scope: Scope): UseQueryResult<Figures | null> {
  const { tenant, range } = scope;
  return useQuery({
    queryKey: [...vitalKey, 'load', 'totals', tenant, range.hours],
    queryFn: async ({ signal }) => (await told(rest.rpc('get_load_stats', { p_hours: range.hours, p_by: 'all', p_tenant_id: tenant }, { get: true }).abortSignal(signal)))[0] ?? null,
    refetchInterval: refetched(scope),
    placeholderData: (before) => before,
  });
}

/** What rows of a table are called, by id: slugs of tenants, emails of users. */
export function useNames(table: 'organizations' | 'users', ids: (string | null)[]): Map<string, string> {
  const wanted = [...new Set(ids.filter((id) => id !== null))].sort();
  const { data } = useQuery({
    queryKey: [...vitalKey, 'names', table, wanted],
    queryFn: async ({ signal }) => new Map(table === 'users'
      ? (await told(rest.from('users').select('id,email').in('id', wanted).abortSignal(signal))).map(({ id, email }) => [id, email])
      : (await told(rest.from('organizations').select('id,slug').in('id', wanted).abortSignal(signal))).map(({ id, slug }) => [id, slug])),
    enabled: wanted.length > 0,
    placeholderData: (before) => before,
  });
  return data ?? new Map();
}
