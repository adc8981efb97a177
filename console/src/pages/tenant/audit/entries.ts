// Reading the audit log: a page of it, what links it to what came before, and the whole chain row by row.
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../../api/answer';
import { auditColumns, canVerify, chainStart, checkRow, type AuditRow, type Link, type RowCheck } from '../../../api/audit-chain';
import { containing, pageSize, type List, type Rows } from '../../../api/list';
import { rest } from '../../../session/clients';
import type { Changes } from '../../../ui/changes';

/** A row of the log, with what was found when it was recomputed here; none, where this browser cannot. */
export interface Entry extends AuditRow { check: RowCheck | undefined; email: string | undefined; changes: Changes | null }

/** What the list is narrowed to; '' is not. */
export interface Filters { action: string; entity: string; actor: string; from: string; until: string; request: string }

export const filterNames: (keyof Filters)[] = ['action', 'entity', 'actor', 'from', 'until', 'request'];

const log = (tenant: string) => rest.from('organization_audit_log').select(auditColumns).eq('organization_id', tenant);

/** Where the database says that the chain of the tenant ends. */
export async function readHead(signal?: AbortSignal): Promise<Link | undefined> {
  const asked = rest.rpc('audit_chain_head', undefined, { get: true });
  return (await told(signal ? asked.abortSignal(signal) : asked))[0];
}

/** The rows behind a place, in the order of the chain. */
export async function rowsAfter(tenant: string, seq: number, limit: number, signal: AbortSignal): Promise<AuditRow[]> {
  return told(log(tenant).gt('seq', seq).order('seq').limit(limit).abortSignal(signal));
}

export interface EntryPage extends Rows<Entry> { head: Link | undefined }

/**
 * A page of the log, the newest first. Places in a chain have no gaps, so an unfiltered page is a range of them and the head counts them:
 * the last page of a million rows is as quick as the first. With a filter nothing is counted.
 */
export function useEntries(tenant: string, list: List, filters: Filters): UseQueryResult<EntryPage> {
  return useQuery({
    queryKey: [...vitalKey, 'rows', 'audit', tenant, list.page, filters],
    queryFn: async ({ signal }): Promise<EntryPage> => {
      const head = await readHead(signal);
      const filtered = filterNames.some((name) => filters[name] !== '');
      const from = (list.page - 1) * pageSize;
      if (filtered) {
        const rows = await told(narrowed(tenant, filters, filters.actor && await actedBy(filters.actor, signal)).order('seq', { ascending: false }).range(from, from + pageSize).abortSignal(signal));
        return { head, rows: await checked(tenant, rows.slice(0, pageSize), signal), count: from + Math.min(rows.length, pageSize), more: rows.length > pageSize };
      }
      const count = await lastPlace(tenant, head, signal);
      const rows = await told(log(tenant).lte('seq', count - from).gt('seq', count - from - pageSize).order('seq', { ascending: false }).abortSignal(signal));
      return { head, rows: await checked(tenant, rows, signal), count };
    },
    placeholderData: keepPreviousData,
  });
}

/** The last place there is: the head's, and that of a row behind it, which should not be. */
async function lastPlace(tenant: string, head: Link | undefined, signal: AbortSignal): Promise<number> {
  const [last] = await told(rest.from('organization_audit_log').select('seq').eq('organization_id', tenant).order('seq', { ascending: false }).limit(1).abortSignal(signal));
  return Math.max(head?.seq ?? 0, last?.seq ?? 0);
}

/** `acted` is a filter for who acted, '' for none. */
function narrowed(tenant: string, { action, entity, from, until, request }: Filters, acted: string) {
  let query = log(tenant);
  if (action) query = query.eq('action', action);
  if (entity) query = query.eq('entity', entity);
  if (request) query = query.eq('request_id', request);
  if (from) query = query.gte('created_at', startOf(from));
  if (until) query = query.lt('created_at', startOf(until, 1));
  return acted ? query.or(acted) : query;
}

/** The midnight a day begins with here, so many days later. */
function startOf(day: string, later = 0): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, date + later).toISOString();
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A filter for who acted: by id, by a part of the email, or, where it was nobody's session, by the login. */
async function actedBy(actor: string, signal: AbortSignal): Promise<string> {
  if (uuid.test(actor)) return `actor_id.eq.${actor}`;
  const users = await told(rest.from('users').select('id').or(containing(['email'], actor)).order('email').limit(100).abortSignal(signal));
  const login = `and(actor_id.is.null,${containing(['database_role'], actor)})`;
  return users.length === 0 ? login : `actor_id.in.(${users.map(({ id }) => id).join(',')}),${login}`;
}

/** Rows with who acted, recomputed and held to the rows before them, which are read where they are not on the page. */
async function checked(tenant: string, rows: AuditRow[], signal: AbortSignal): Promise<Entry[]> {
  const [emails, before] = await Promise.all([emailsOf(rows, signal), linksBefore(tenant, rows, signal)]);
  return Promise.all(rows.map(async (row) => ({
    ...row, email: emails.get(row.actor_id ?? ''), changes: row.changes_text === null ? null : JSON.parse(row.changes_text) as Changes,
    check: canVerify() ? await checkRow(row, before.get(row.seq - 1)) : undefined,
  })));
}

async function linksBefore(tenant: string, rows: AuditRow[], signal: AbortSignal): Promise<Map<number, Link>> {
  const links = new Map<number, Link>([chainStart, ...rows].map(({ seq, hash }) => [seq, { seq, hash }]));
  const absent = rows.map(({ seq }) => seq - 1).filter((seq) => !links.has(seq));
  if (absent.length === 0) return links;
  const found = await told(rest.from('organization_audit_log').select('seq,hash').eq('organization_id', tenant).in('seq', absent).abortSignal(signal));
  for (const link of found) links.set(link.seq, link);
  // A row whose predecessor is not there follows the last that is: it is checked against a place that says what is missing.
  for (const seq of absent) if (!links.has(seq)) links.set(seq, { seq: seq - 1, hash: '' });
  return links;
}

async function emailsOf(rows: AuditRow[], signal: AbortSignal): Promise<Map<string, string>> {
  const ids = [...new Set(rows.flatMap(({ actor_id }) => actor_id ?? []))];
  if (ids.length === 0) return new Map();
  const users = await told(rest.from('users').select('id,email').in('id', ids).abortSignal(signal));
  return new Map(users.map(({ id, email }) => [id, email]));
}
