import type { UseQueryResult } from '@tanstack/react-query';
import clsx from 'clsx';
import { ArrowDown, ArrowUp, ChevronLeft, ChevronRight, ChevronsUpDown, Search } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { List, Rows } from '../api/list';
import { IconButton } from './button';
import { Input } from './field';
import { Empty, Problem, Skeleton } from './state';

export interface Column<Row> {
  header: string;
  cell: (row: Row) => ReactNode;
  /** The column of the database it is sorted by; none, where it cannot be. */
  sort?: string;
  align?: 'right';
  /** Where there is little room it is left out. */
  minor?: boolean;
  /** What the row is called: it takes the room that is left, and a long word in it breaks rather than push the others out of sight. */
  main?: boolean;
  className?: string;
}

type Looks = Pick<Column<never>, 'align' | 'minor' | 'main' | 'className'>;

const headClass = ({ align, minor }: Looks) => clsx('px-2.5 py-2.5 first:pl-4 last:pr-4 sm:px-4 font-medium whitespace-nowrap', align === 'right' && 'text-right', minor && 'hidden md:table-cell');
const cellClass = ({ align, minor, main, className }: Looks) => clsx('px-2.5 py-2.5 first:pl-4 last:pr-4 sm:px-4 align-middle', align === 'right' && 'text-right tabular-nums', minor && 'hidden md:table-cell', main && 'min-w-28 sm:min-w-36 wrap-anywhere', className);

interface TableProps<Row> {
  /** What the rows are, for those who do not see the page around it. */
  label: string;
  columns: Column<Row>[];
  rows: UseQueryResult<Rows<Row>>;
  rowKey: (row: Row) => string;
  list: List;
  /** What the search looks in; none, where there is no search. */
  search?: string;
  filters?: ReactNode;
  /** What is shown where there are no rows and nothing was asked for. */
  empty: ReactNode;
}

/** A list, page by page. */
export function DataTable<Row>({ label, columns, rows, rowKey, list, search, filters, empty }: TableProps<Row>) {
  const { data, error, isFetching, isPlaceholderData, refetch } = rows;
  const [sorted, direction] = list.sort.split('.');
  return (
    <div>
      {(search || filters) && (
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-3">
          {search && <SearchBox list={list} placeholder={search} />}
          {filters}
        </div>
      )}
      {error && !data ? <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /> : data?.count === 0 && data.rows.length === 0 ? (
        list.search ? <Empty title={`Nothing matches “${list.search}”`} icon={<Search className="size-5" />}>Try fewer or other words.</Empty> : empty
      ) : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
          <table className={clsx('w-full border-collapse text-sm transition-opacity', isPlaceholderData && 'opacity-60')} aria-busy={isFetching}>
            <caption className="sr-only">{label}</caption>
            <thead>
              <tr className="border-b border-line text-left text-xs text-muted">
                {columns.map((column) => (
                  <th key={column.header} scope="col" className={headClass(column)}
                    aria-sort={column.sort && column.sort === sorted ? (direction === 'asc' ? 'ascending' : 'descending') : undefined}>
                    {column.sort ? <SortButton column={column.sort} header={column.header} sorted={sorted === column.sort ? direction : undefined} list={list} /> : column.header}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data ? data.rows.map((row) => (
                <tr key={rowKey(row)} className="border-b border-line last:border-b-0 hover:bg-sunken/60">
                  {columns.map((column) => <td key={column.header} className={cellClass(column)}>{column.cell(row)}</td>)}
                </tr>
              )) : Array.from({ length: 6 }, (_, n) => (
                <tr key={n} className="border-b border-line last:border-b-0">{columns.map((column) => <td key={column.header} className={clsx('px-2.5 py-3.5 first:pl-4 last:pr-4 sm:px-4', column.minor && 'hidden md:table-cell')}><Skeleton className={clsx('h-4 w-24 max-w-full', column.align === 'right' && 'ml-auto')} /></td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.count > 0 && <Pager count={data.count} more={data.more} list={list} />}
    </div>
  );
}

function SortButton({ column, header, sorted, list }: { column: string; header: string; sorted: string | undefined; list: List }) {
  const Icon = sorted === undefined ? ChevronsUpDown : sorted === 'asc' ? ArrowUp : ArrowDown;
  return (
    <button type="button" className={clsx('inline-flex items-center gap-1 font-medium hover:text-ink', sorted && 'text-ink')} onClick={() => list.set({ sort: `${column}.${sorted === 'asc' ? 'desc' : 'asc'}` })}>
      {header}<Icon className="size-3.5" aria-hidden />
    </button>
  );
}

/** Searches when typing has paused. */
export function SearchBox({ list, placeholder }: { list: List; placeholder: string }) {
  const [text, setText] = useState(list.search);
  const { search, set } = list;
  useEffect(() => {
    if (text === search) return undefined;
    const pause = setTimeout(() => set({ q: text }), 250);
    return () => clearTimeout(pause);
  }, [text]); // eslint-disable-line react-hooks/exhaustive-deps -- what was typed is what begins a search
  return (
    <div className="relative w-full sm:w-72">
      <Search className="pointer-events-none absolute left-2.5 top-2.5 size-4 text-muted" aria-hidden />
      <Input type="search" aria-label={placeholder} placeholder={placeholder} value={text} onChange={(event) => setText(event.target.value)} className="pl-8" />
    </div>
  );
}

function Pager({ count, more, list }: { count: number; more?: boolean; list: List }) {
  const last = Math.max(1, Math.ceil(count / list.size));
  const from = (list.page - 1) * list.size + 1;
  return (
    <div className="flex items-center justify-between gap-3 border-t border-line px-4 py-2 text-xs text-muted">
      <p aria-live="polite" className="tabular-nums">{from > count ? `Nothing on page ${list.page}` : `${from.toLocaleString('en')}–${Math.min(count, from + list.size - 1).toLocaleString('en')}`}{more === undefined && ` of ${count.toLocaleString('en')}`}{more && ' and more'}</p>
      <div className="flex items-center gap-1">
        <IconButton label="Previous page" disabled={list.page <= 1} onClick={() => list.set({ page: Math.min(last, list.page - 1) })}><ChevronLeft className="size-4" aria-hidden /></IconButton>
        <span className="tabular-nums">Page {list.page.toLocaleString('en')}{more === undefined && ` of ${last.toLocaleString('en')}`}</span>
        <IconButton label="Next page" disabled={more === undefined ? list.page >= last : !more} onClick={() => list.set({ page: list.page + 1 })}><ChevronRight className="size-4" aria-hidden /></IconButton>
      </div>
    </div>
  );
}

/** A small table without pages: for a handful of rows that were read at once. */
export function PlainTable<Row>({ label, columns, rows, rowKey }: { label: string; columns: Omit<Column<Row>, 'sort'>[]; rows: Row[]; rowKey: (row: Row) => string }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{label}</caption>
        <thead><tr className="border-b border-line text-left text-xs text-muted">{columns.map((column) => <th key={column.header} scope="col" className={headClass(column)}>{column.header}</th>)}</tr></thead>
        <tbody>{rows.map((row) => <tr key={rowKey(row)} className="border-b border-line last:border-b-0 hover:bg-sunken/60">{columns.map((column) => <td key={column.header} className={cellClass(column)}>{column.cell(row)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
