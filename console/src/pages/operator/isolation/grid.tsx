import clsx from 'clsx';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { Glyph, told } from './glyph';
import { cellKey, isOpen, type Cell, type Group, type MatrixObject, type Standing } from './matrix';

/** A column: one command of one role. */
interface Column { role: string; command: string; /** Whether it is a role's first. */ first: boolean }

interface GridProps {
  label: string;
  groups: Group[];
  roles: string[];
  commands: string[];
  /** Groups that are shut, by key. */
  shut: (group: Group) => boolean;
  toggle: (group: Group) => void;
  open: (object: MatrixObject, cell: Cell) => void;
}

/** Rows are made as they come near; so many at once. */
const chunkSize = 20;

/** How far Page Up and Page Down go. */
const page = 10;

interface Place { row: number; column: number }

/**
 * Objects by roles and commands. It is one stop of the Tab key: the arrow keys go from cell to cell, Enter opens one. Only the rows near
 * what is seen are in the document, which says how many there are.
 */
export function Grid({ label, groups, roles, commands, shut, toggle, open }: GridProps) {
  const columns = useMemo(() => roles.flatMap((role) => commands.map((command, at): Column => ({ role, command, first: at === 0 }))), [roles, commands]);
  const rows = useMemo(() => groups.flatMap((group) => (shut(group) ? [] : group.objects)), [groups, shut]);
  const scroller = useRef<HTMLDivElement>(null);
  const { active, follow, go } = useRoving(scroller, rows.length, columns.length);
  const keyed = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLTableCellElement)) return;
    const object = rows[active.row];
    const column = columns[active.column];
    const cell = object && column && object.cells.get(cellKey(column.role, column.command));
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (cell) open(object, cell);
      return;
    }
    const next = moved(event, active, rows.length, columns.length);
    if (!next) return;
    event.preventDefault();
    go(next);
  };
  const pressed = (object: MatrixObject, column: number, cell: Cell) => { follow({ row: rows.indexOf(object), column }); open(object, cell); };
  let before = 0;
  return (
    <div ref={scroller} className="relative max-h-[max(24rem,calc(100dvh-12rem))] overflow-auto">
      <table role="grid" aria-label={label} aria-readonly="true" aria-rowcount={rows.length + groups.length + 2} aria-colcount={columns.length + 1} className="w-full border-separate border-spacing-0 text-sm" onKeyDown={keyed}>
        <Head roles={roles} commands={commands} />
        {groups.map((group) => {
          const from = before;
          if (!shut(group)) before += group.objects.length;
          return (
            <GroupRows key={group.key} group={group} shut={shut(group)} toggle={() => toggle(group)} width={columns.length + 1}>
              {chunksOf(group.objects).map((objects, n) => (
                <Chunk key={n} objects={objects} from={from + n * chunkSize} columns={columns} active={active} near={from + n * chunkSize < 2 * chunkSize} scroller={scroller} pressed={pressed} />
              ))}
            </GroupRows>
          );
        })}
      </table>
    </div>
  );
}

function chunksOf(objects: MatrixObject[]): MatrixObject[][] {
  return Array.from({ length: Math.ceil(objects.length / chunkSize) }, (_, n) => objects.slice(n * chunkSize, (n + 1) * chunkSize));
}

/** The cell that Tab comes to. `go` takes the focus to another; `follow` is told where it went by itself. */
function useRoving(scroller: RefObject<HTMLDivElement | null>, rows: number, columns: number): { active: Place; follow: (to: Place) => void; go: (to: Place) => void } {
  const [place, setPlace] = useState<Place>({ row: 0, column: 0 });
  const wanted = useRef(false);
  const active = { row: Math.min(place.row, Math.max(0, rows - 1)), column: Math.min(place.column, Math.max(0, columns - 1)) };
  useLayoutEffect(() => {
    if (!wanted.current) return;
    wanted.current = false;
    scroller.current?.querySelector<HTMLElement>('td[tabindex="0"]')?.focus();
  }, [place, scroller]);
  return { active, follow: setPlace, go: (to) => { wanted.current = true; setPlace(to); } };
}

/** Where a key leads; undefined for keys that lead nowhere. */
function moved({ key, ctrlKey }: KeyboardEvent, { row, column }: Place, rows: number, columns: number): Place | undefined {
  const to = {
    ArrowUp: { row: row - 1, column }, ArrowDown: { row: row + 1, column }, ArrowLeft: { row, column: column - 1 }, ArrowRight: { row, column: column + 1 },
    PageUp: { row: row - page, column }, PageDown: { row: row + page, column },
    Home: { row: ctrlKey ? 0 : row, column: 0 }, End: { row: ctrlKey ? rows - 1 : row, column: columns - 1 },
  }[key];
  return to && { row: Math.max(0, Math.min(rows - 1, to.row)), column: Math.max(0, Math.min(columns - 1, to.column)) };
}

const head = 'sticky z-20 bg-surface border-line font-medium text-muted';
const name = 'sticky left-0 bg-surface border-r border-line text-left';

function Head({ roles, commands }: { roles: string[]; commands: string[] }) {
  return (
    <thead className="text-xs">
      <tr aria-rowindex={1}>
        <th rowSpan={2} scope="col" className={clsx(head, name, 'top-0 z-30 border-b px-4 align-bottom pb-1.5 max-sm:pl-3')}>Object</th>
        {roles.map((role) => <th key={role} scope="colgroup" colSpan={commands.length} className={clsx(head, 'top-0 h-8 border-l px-2 text-left whitespace-nowrap max-w-0 truncate')} title={role}>{role}</th>)}
      </tr>
      <tr aria-rowindex={2}>
        {roles.map((role) => commands.map((command, at) => (
          <th key={`${role} ${command}`} scope="col" className={clsx(head, 'top-8 h-6 min-w-9 border-b px-0 text-center text-[11px] font-normal max-sm:min-w-12', at === 0 && 'border-l')} title={`${role}: ${command}`}>
            <span aria-hidden>{command.length > 4 ? command.slice(0, 3) : command}</span><span className="sr-only">{role} {command}</span>
          </th>
        )))}
      </tr>
    </thead>
  );
}

const plural: Record<string, string> = { 'table': 'tables', 'partitioned table': 'partitioned tables', 'view': 'views', 'materialized view': 'materialized views', 'foreign table': 'foreign tables', 'function': 'functions', 'procedure': 'procedures', 'aggregate': 'aggregates', 'sequence': 'sequences', 'schema': 'schemas' };

function GroupRows({ group, shut, toggle, width, children }: { group: Group; shut: boolean; toggle: () => void; width: number; children: ReactNode }) {
  const Icon = shut ? ChevronRight : ChevronDown;
  const alarming = group.objects.filter(isOpen).length;
  const count = group.objects.length.toLocaleString('en');
  return (
    <>
      <tbody>
        <tr>
          <th scope="rowgroup" colSpan={width} className="h-9 border-b border-line bg-sunken p-0 text-left font-normal">
            <button type="button" aria-expanded={!shut} onClick={toggle} className="sticky left-0 inline-flex h-9 items-center gap-2 px-3 hover:text-accent-ink">
              <Icon className="size-4 text-muted" aria-hidden />
              {group.kind === 'schema' ? <b className="font-semibold">{group.schema}</b> : <><b className="font-semibold">{group.schema}</b><span className="text-muted">{count} {group.objects.length === 1 ? group.kind : plural[group.kind] ?? group.kind}</span></>}
              {alarming > 0 && <span className="text-bad">{alarming} open to users past any policy</span>}
            </button>
          </th>
        </tr>
      </tbody>
      {!shut && children}
    </>
  );
}

interface ChunkProps {
  objects: MatrixObject[]; from: number; columns: Column[]; active: Place;
  /** Whether it is near from the beginning. */
  near: boolean;
  scroller: RefObject<HTMLDivElement | null>;
  pressed: (object: MatrixObject, column: number, cell: Cell) => void;
}

/** Rows that are made when they come near to what is seen, or hold the cell that has the focus. */
function Chunk({ objects, from, columns, active, near, scroller, pressed }: ChunkProps) {
  const place = useRef<HTMLTableSectionElement>(null);
  const [seen, setSeen] = useState(near);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => setSeen(entry!.isIntersecting), { root: scroller.current, rootMargin: '600px 0px' });
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, [scroller]);
  const held = active.row >= from && active.row < from + objects.length;
  const latest = useRef(pressed);
  useLayoutEffect(() => { latest.current = pressed; });
  const stable = useMemo(() => (object: MatrixObject, column: number, cell: Cell) => latest.current(object, column, cell), []);
  return (
    <tbody ref={place}>
      {seen || held
        ? objects.map((object, n) => <Row key={object.name} object={object} index={from + n} columns={columns} active={active.row === from + n ? active.column : -1} pressed={stable} />)
        : <tr aria-hidden><td colSpan={columns.length + 1} style={{ height: `${objects.length * 2.25}rem` }} /></tr>}
    </tbody>
  );
}

const Row = memo(function Row({ object, index, columns, active, pressed }: { object: MatrixObject; index: number; columns: Column[]; active: number; pressed: (object: MatrixObject, column: number, cell: Cell) => void }) {
  return (
    <tr aria-rowindex={index + 3} className="group/row h-9">
      <th scope="row" className={clsx(name, 'z-10 h-9 w-full min-w-56 max-w-0 border-b px-4 font-normal group-hover/row:bg-sunken max-sm:min-w-0 max-sm:pl-3')}>
        <span className="flex items-center gap-2"><span className="truncate font-mono text-xs" title={object.name}>{object.short}</span><Chip object={object} /></span>
      </th>
      {columns.map(({ role, command, first }, at) => {
        const cell = object.cells.get(cellKey(role, command));
        return (
          <td key={`${role} ${command}`} tabIndex={at === active ? 0 : -1} aria-label={cell ? told(cell) : `${role} ${command}: there is no such command`} title={cell && `${told(cell)} – ${cell.reason}`}
            onClick={cell && (() => pressed(object, at, cell))}
            className={clsx('h-9 border-b border-line p-0 text-center align-middle focus-visible:relative focus-visible:-outline-offset-2', first && 'border-l', cell && `cursor-pointer hover:shadow-[inset_0_0_0_2px_var(--line-strong)] ${heat[cell.standing]}`)}>
            {cell && <Glyph standing={cell.standing} part={cell.columns !== null} />}
          </td>
        );
      })}
    </tr>
  );
});

const heat: Record<Standing, string> = { denied: '', filtered: 'bg-info-soft', exempt: 'bg-sunken', granted: 'bg-warn-soft', open: 'bg-bad-soft' };

/** What of an object is out of the ordinary. */
function Chip({ object }: { object: MatrixObject }) {
  const said = object.rowSecurity === 'off' ? 'RLS off' : object.rowSecurity === 'enabled' ? 'not forced'
    : object.runsAs === 'definer' ? (object.section === 'functions' ? 'definer' : 'owner’s rights') : undefined;
  if (!said) return null;
  return <span className={clsx('shrink-0 rounded-full px-1.5 text-[11px] whitespace-nowrap', object.rowSecurity === 'off' ? 'bg-warn-soft text-warn' : 'bg-sunken text-muted')}>{said}</span>;
}
