// Lists: a page of them at a time, searched, filtered and sorted by the server. Which page it is stands in the address.
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { counted } from './answer';

export const pageSize = 25;

/** What the address says of a list. */
export interface List {
  /** From 1. */
  page: number;
  /** How many rows a page has. */
  size: number;
  /** `name.asc`. */
  sort: string;
  /** What is searched for, '' for nothing. */
  search: string;
  /** What a filter is set to, '' for none. */
  filter: (name: string) => string;
  /** Another page, sort, search or filter; every one but the page begins with the first page again. */
  set: (changes: Record<string, string | number | undefined>) => void;
}

/** The list of this page; `sort` is how it is sorted where the address does not say. Of a page's further lists each has a `name`. */
export function useList(sort: string, name = '', size = pageSize): List {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const key = (part: string) => (name ? `${name}.${part}` : part);
  const text = (part: string) => (['string', 'number', 'boolean'].includes(typeof search[key(part)]) ? String(search[key(part)]) : '');
  return {
    size,
    page: Math.max(1, Math.trunc(Number(text('page'))) || 1),
    sort: /^\w+\.(asc|desc)$/.test(text('sort')) ? text('sort') : sort,
    search: text('q'),
    filter: text,
    set: (changes) => {
      const changed = Object.fromEntries(Object.entries({ page: undefined, ...changes }).map(([part, value]) => [key(part), value]));
      // From what the address says by then: a search that waited for typing to pause must not undo a filter chosen meanwhile.
      const next = (now: Record<string, unknown>) => Object.fromEntries(Object.entries({ ...now, ...changed }).filter(([, value]) => value !== undefined && value !== ''));
      void navigate({ to: '.', search: next as never, replace: true });
    },
  };
}

/** What a query needs, to be had page by page. */
interface Pageable<Row> extends PromiseLike<{ data: Row[] | null; error: never; status: number; count: number | null }> {
  order(column: string, options: { ascending: boolean; nullsFirst: boolean }): this;
  range(from: number, to: number): this;
  abortSignal(signal: AbortSignal): this;
}

/** `more`: there are rows beyond those counted; how many is not known, since counting them would take reading them all. */
export interface Rows<Row> { rows: Row[]; count: number; more?: boolean }

/**
 * A page of rows, read again whenever something of the tenant has changed. `query` asks with `count`, unless the list is `uncounted`: then
 * only whether there are more is told, which costs the same however long the list is. `key` names what is asked for, and all
 * it depends on beside the list. `unique` is a column that orders rows that sort alike.
 */
export function useRows<Row>(key: readonly unknown[], list: List, query: () => unknown, { unique = 'id', refetchInterval, uncounted = false }: { unique?: string; refetchInterval?: number | false; uncounted?: boolean } = {}): UseQueryResult<Rows<Row>> {
  const { page, size, sort, search } = list;
  return useQuery({
    queryKey: [...vitalKey, 'rows', ...key, page, sort, search],
    queryFn: async ({ signal }) => {
      const [column, direction] = sort.split('.') as [string, string];
      const from = (page - 1) * size;
      let asked = (query() as Pageable<Row>).order(column, { ascending: direction === 'asc', nullsFirst: false });
      if (column !== unique) asked = asked.order(unique, { ascending: true, nullsFirst: false });
      const { rows, count } = await counted(asked.range(from, from + size - (uncounted ? 0 : 1)).abortSignal(signal));
      return uncounted ? { rows: rows.slice(0, size), count: from + Math.min(rows.length, size), more: rows.length > size } : { rows, count };
    },
    placeholderData: keepPreviousData,
    refetchInterval,
  });
}

/** A filter for `.or()`: one of the columns has the text in it. */
export function containing(columns: string[], text: string): string {
  const pattern = text.replace(/[\\%_*]/g, '\\$&');
  const value = `"${`%${pattern}%`.replace(/[\\"]/g, '\\$&')}"`;
  return columns.map((column) => `${column}.ilike.${value}`).join(',');
}
