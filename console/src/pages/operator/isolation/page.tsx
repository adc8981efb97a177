import { useQuery } from '@tanstack/react-query';
import { RefreshCw, SearchX } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { told } from '../../../api/answer';
import { useList, type List } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Button } from '../../../ui/button';
import { Card, Stat, Stats } from '../../../ui/card';
import { Select } from '../../../ui/field';
import { useNarrow } from '../../../ui/media';
import { Failure, Notice } from '../../../ui/notice';
import { Page } from '../../../ui/page';
import { Segments } from '../../../ui/segments';
import { Empty, Loading, Problem } from '../../../ui/state';
import { SearchBox } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { Legend, Shapes } from './glyph';
import { Grid } from './grid';
import { commandsOf, figuresOf, groupsOf, isOpen, matrixOf, passes, rolesShown, type Cell, type Group, type Matrix, type MatrixObject, type Section } from './matrix';
import { CellPanel, cellAt } from './panel';
import { LastProof, useProof } from './proof';

/** Who can do what, and whether that was tried. */
export function Isolation() {
  // Read once: it changes with the schema, not with what tenants do.
  const { data, error, isFetching, refetch, dataUpdatedAt } = useQuery({
    queryKey: ['rls_matrix'], staleTime: Infinity, refetchOnWindowFocus: false,
    queryFn: async ({ signal }) => matrixOf(await told(rest.rpc('rls_matrix', {}).abortSignal(signal))),
  });
  const proof = useProof();
  const again = () => { void refetch(); };
  return (
    <Page title="Isolation" description="Who can do what in this database: privileges, roles and row-level security as they stand, and whether attacks got past them."
      actions={<>{data && <span className="text-xs text-muted">Read <Time at={new Date(dataUpdatedAt).toISOString()} /></span>}<Button icon={<RefreshCw className="size-4" aria-hidden />} pending={isFetching} onClick={again}>Read again</Button></>}>
      <Shapes />
      {error && !data ? <Card><Problem error={error} retry={again} retrying={isFetching} /></Card> : data ? <Coverage matrix={data} /> : <Loading className="h-24" />}
      {error && data && <Failure what="It could not be read again, and is shown as it was" error={error} />}
      <LastProof proof={proof} />
      {data ? <Heatmap matrix={data} proof={proof.data} /> : !error && <Loading label="Reading who can do what…" className="h-96" />}
    </Page>
  );
}

function Coverage({ matrix }: { matrix: Matrix }) {
  const figures = useMemo(() => figuresOf(matrix), [matrix]);
  const open = useMemo(() => matrix.objects.filter((object) => object.section === 'relations' && isOpen(object)), [matrix]);
  const number = (value: number) => value.toLocaleString('en');
  return (
    <>
      {open.length > 0 && (
        <Notice tone="bad" title={open.length === 1 ? 'One relation is open to users past any policy' : `${number(open.length)} relations are open to users past any policy`}>
          <p className="font-mono text-xs">{open.slice(0, 8).map(({ name }) => name).join(', ')}{open.length > 8 && `, and ${open.length - 8} more`}</p>
        </Notice>
      )}
      <Stats>
        <Stat label="Tables with RLS forced" value={number(figures.forced)} unit={`of ${number(figures.tables)}`} note={`RLS on ${number(figures.secured)}, off ${number(figures.tables - figures.secured)}`} />
        <Stat label="Policies that decide" value={number(figures.policies)} note={`on ${number(figures.secured)} tables`} />
        <Stat label="Relations, to users" value={number(figures.byAccess['row-filtered'])} unit="row-filtered" note={`${number(figures.byAccess.allowed)} allowed · ${number(figures.byAccess.denied)} denied`} />
        <Stat label="Functions as their owner" value={number(figures.definer)} unit={`of ${number(figures.functions)}`} note="security definer" />
      </Stats>
    </>
  );
}

const sections: [Section, string][] = [['relations', 'Relations'], ['functions', 'Functions'], ['sequences', 'Sequences'], ['schemas', 'Schemas']];

function Heatmap({ matrix, proof }: { matrix: Matrix; proof: Parameters<typeof CellPanel>[0]['proof'] }) {
  const list = useList('name.asc');
  const shown = useShown(matrix, list);
  const { shut, toggle } = useShut(list.search !== '' || list.filter('access') !== '');
  const object = matrix.objects.find(({ name }) => name === list.filter('object'));
  const cell = cellAt(object, list.filter('as'), list.filter('command'));
  const open = (of: MatrixObject, { role, command }: Cell) => list.set({ object: of.name, as: role, command });
  return (
    <Card flush title="Matrix" description="Objects by role and command. Open a cell to see what decides.">
      <Filters matrix={matrix} list={list} shown={shown} />
      {shown.groups.length === 0
        ? <Empty title="Nothing is like that" icon={<SearchX className="size-5" />} action={<Button onClick={() => list.set({ q: '', kind: '', access: '' })}>Show all</Button>}>Search for less, or take a filter away.</Empty>
        : <Grid label={`${shown.section} by role and command`} groups={shown.groups} roles={shown.roles} commands={shown.commands} shut={shut} toggle={toggle} open={open} />}
      <div className="border-t border-line px-4 py-3"><Legend /></div>
      {object && cell && <CellPanel object={object} cell={cell} proof={proof} go={(other) => open(object, other)} close={() => list.set({ object: '', as: '', command: '' })} />}
    </Card>
  );
}

interface Shown { section: Section; role: string; roles: string[]; commands: string[]; kinds: string[]; groups: Group[]; count: number }

/** What the address, and the room there is, have of the matrix shown. */
function useShown(matrix: Matrix, list: List): Shown {
  const narrow = useNarrow();
  const section = sections.find(([name]) => name === list.filter('section'))?.[0] ?? 'relations';
  const [search, kind, access, chosen, all] = [list.search, list.filter('kind'), list.filter('access'), list.filter('role'), list.filter('commands') === 'all'];
  return useMemo(() => {
    const role = narrow && !matrix.roles.includes(chosen) ? matrix.roles.find((name) => name === 'authenticated') ?? matrix.roles[0] ?? '' : chosen;
    const roles = rolesShown(matrix.roles, role);
    const commands = commandsOf(matrix.objects, section, all && !narrow);
    const there = matrix.objects.filter((object) => object.section === section);
    const objects = there.filter((object) => passes(object, { search, kind, access, roles, commands }));
    return { section, role, roles, commands, kinds: [...new Set(there.map((object) => object.kind))], groups: groupsOf(objects), count: objects.length };
  }, [matrix, narrow, section, search, kind, access, chosen, all]);
}

/** Which groups are shut: at first all but those of public, and none while something is looked for. */
function useShut(looking: boolean) {
  const [turned, turn] = useState<ReadonlySet<string>>(new Set());
  const shut = useCallback((group: Group) => !looking && (group.schema !== 'public' && group.kind !== 'schema') !== turned.has(group.key), [looking, turned]);
  const toggle = useCallback(({ key }: Group) => turn((before) => {
    const next = new Set(before);
    if (!next.delete(key)) next.add(key);
    return next;
  }), []);
  return { shut, toggle };
}

function Filters({ matrix, list, shown }: { matrix: Matrix; list: List; shown: Shown }) {
  const narrow = useNarrow();
  const count = (section: Section) => matrix.objects.filter((object) => object.section === section).length;
  return (
    <div className="flex flex-wrap items-center gap-2 border-y border-line px-4 py-3">
      <Segments label="What" value={shown.section} onChange={(section) => list.set({ section, kind: '' })} options={sections.map(([value, label]) => ({ value, label, count: count(value) }))} />
      <SearchBox list={list} placeholder="Search by name" />
      <Select aria-label="Role" className="!w-auto" value={shown.role} onChange={(event) => list.set({ role: event.target.value })}>
        {!narrow && <><option value="">Roles of requests</option><option value="all">All roles</option></>}
        {matrix.roles.map((role) => <option key={role}>{role}</option>)}
      </Select>
      {shown.kinds.length > 1 && (
        <Select aria-label="Kind" className="!w-auto" value={list.filter('kind')} onChange={(event) => list.set({ kind: event.target.value })}>
          <option value="">All kinds</option>
          {shown.kinds.map((kind) => <option key={kind}>{kind}</option>)}
        </Select>
      )}
      <Select aria-label="Access" className="!w-auto" value={list.filter('access')} onChange={(event) => list.set({ access: event.target.value })}>
        <option value="">Any access</option>
        {shown.section === 'relations' && <><option value="open">allowed past any policy</option><option value="row-filtered">row-filtered</option></>}
        <option value="allowed">allowed</option>
        <option value="denied">denied</option>
      </Select>
      {shown.section === 'relations' && !narrow && (
        <label className="inline-flex items-center gap-2 text-sm"><input type="checkbox" className="accent-accent" checked={list.filter('commands') === 'all'} onChange={(event) => list.set({ commands: event.target.checked ? 'all' : '' })} />All commands</label>
      )}
      <p aria-live="polite" className="ml-auto text-xs text-muted tabular-nums">{shown.count.toLocaleString('en')} {shown.section}</p>
    </div>
  );
}
