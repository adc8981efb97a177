// Who can do what, as rls_matrix() tells it cell by cell, put together by object.
import type { Database } from '@vital-db/client';

export type Access = 'allowed' | 'row-filtered' | 'denied';

export interface Policy { table: string; name: string; permissive: boolean; using?: string; check?: string }

/** What the server answers with. */
export type MatrixRow = Database['public']['Functions']['rls_matrix']['Returns'][number];

export interface Cell { role: string; command: string; access: Access; reason: string; columns: string[] | null; policies: Policy[]; standing: Standing }

/**
 * What a cell means for the tenants: `open` is every row to roles that users come as; `granted` every row to a role of the server's own
 * that nothing exempts; `exempt` to the owner and to roles with BYPASSRLS.
 */
export type Standing = 'denied' | 'filtered' | 'exempt' | 'granted' | 'open';

export type Section = 'relations' | 'functions' | 'sequences' | 'schemas';

/** A row of the matrix. */
export interface MatrixObject {
  kind: string; name: string; section: Section; schema: string;
  /** Its name in its schema. */
  short: string;
  rowSecurity: string | null; runsAs: string | null; owner: string | null; volatility: string | null;
  cells: ReadonlyMap<string, Cell>;
}

export interface Matrix { objects: MatrixObject[]; roles: string[]; exempt: ReadonlySet<string> }

/** The roles requests come as, in the order they are shown; all others are the server's own. */
const callers = ['PUBLIC', 'anon', 'authenticated', 'service_role'];

/** Those of them that users come as, whoever they are. */
const users = new Set(['PUBLIC', 'anon', 'authenticated']);

/** The commands that policies are about. */
export const rowCommands = ['select', 'insert', 'update', 'delete'];

const order: Record<Section, string[]> = {
  relations: [...rowCommands, 'truncate', 'references', 'trigger', 'maintain'],
  functions: ['execute'], sequences: ['usage', 'select', 'update'], schemas: ['usage', 'create'],
};

export const cellKey = (role: string, command: string) => `${role} ${command}`;

/** Puts cells together; those of an object stand together, as the server tells them. */
export function matrixOf(rows: readonly MatrixRow[]): Matrix {
  const exempt = new Set(rows.filter(({ reason }) => reason === 'BYPASSRLS' || reason === 'superuser').map(({ role }) => role));
  const objects: MatrixObject[] = [];
  let cells = new Map<string, Cell>();
  let last: MatrixObject | undefined;
  for (const row of rows) {
    if (last?.name !== row.object || last.kind !== row.kind) {
      cells = new Map();
      last = objectOf(row, cells);
      objects.push(last);
    }
    const access = row.access as Access;
    cells.set(cellKey(row.role, row.command), {
      role: row.role, command: row.command, access, reason: row.reason, columns: row.columns, policies: (row.policies as Policy[] | null) ?? [],
      standing: standingOf(row, last.section, exempt),
    });
  }
  const roles = [...new Set(rows.map(({ role }) => role))];
  const rank = (role: string) => (callers.includes(role) ? callers.indexOf(role) : callers.length);
  return { objects, exempt, roles: roles.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)) };
}

function objectOf(row: MatrixRow, cells: ReadonlyMap<string, Cell>): MatrixObject {
  const schema = row.kind === 'schema' ? row.object : schemaOf(row.object);
  return {
    kind: row.kind, name: row.object, section: sectionOf(row), schema, short: row.kind === 'schema' ? row.object : row.object.slice(schema.length + 1),
    rowSecurity: row.row_security, runsAs: row.runs_as, owner: row.owner, volatility: row.volatility, cells,
  };
}

function sectionOf({ kind, volatility }: MatrixRow): Section {
  if (kind === 'schema') return 'schemas';
  if (kind === 'sequence') return 'sequences';
  return volatility === null ? 'relations' : 'functions';
}

/** The schema of a qualified name, quoted as it stands there. */
export function schemaOf(name: string): string {
  return /^(?:"(?:[^"]|"")*"|[^.]*)/.exec(name)![0];
}

function standingOf({ access, role, owner }: MatrixRow, section: Section, exempt: ReadonlySet<string>): Standing {
  if (access === 'denied') return 'denied';
  if (access === 'row-filtered') return 'filtered';
  if (section !== 'relations') return 'exempt'; // where there are no rows, a privilege is all there is
  if (role === owner || exempt.has(role)) return 'exempt';
  return users.has(role) ? 'open' : 'granted';
}

/** The roles to show: all, those that requests come as (all, where there are none of those), or the one that is named. */
export function rolesShown(roles: readonly string[], chosen: string): string[] {
  if (roles.includes(chosen)) return [chosen];
  const some = roles.filter((role) => callers.includes(role));
  return chosen === 'all' || some.length === 0 ? [...roles] : some;
}

/** The commands of a section that any of its objects takes, in their order; without those beside rows unless all are asked for. */
export function commandsOf(objects: readonly MatrixObject[], section: Section, all: boolean): string[] {
  const there = new Set(objects.filter((o) => o.section === section).flatMap((o) => [...o.cells.values()].map(({ command }) => command)));
  return order[section].filter((command) => there.has(command) && (all || section !== 'relations' || rowCommands.includes(command)));
}

/** Rows for which users reach past any filter. */
export function isOpen(object: MatrixObject): boolean {
  return [...object.cells.values()].some(({ standing, command }) => standing === 'open' && rowCommands.includes(command));
}

export interface Filter { search: string; kind: string; access: string; roles: readonly string[]; commands: readonly string[] }

/** Whether an object is among what is looked for: with an access, for the roles and commands that are shown. */
export function passes(object: MatrixObject, { search, kind, access, roles, commands }: Filter): boolean {
  if (kind && object.kind !== kind) return false;
  if (!search.toLowerCase().split(/\s+/).every((word) => object.name.toLowerCase().includes(word))) return false;
  return access === '' || roles.some((role) => commands.some((command) => hasAccess(object.cells.get(cellKey(role, command)), access)));
}

function hasAccess(cell: Cell | undefined, access: string): boolean {
  return access === 'open' ? cell?.standing === 'open' : cell?.access === access;
}

export interface Group { key: string; schema: string; kind: string; objects: MatrixObject[] }

/** Objects by schema and kind; public and what users reach first, the others by name. */
export function groupsOf(objects: readonly MatrixObject[]): Group[] {
  const groups = new Map<string, Group>();
  for (const object of objects) {
    const key = `${object.schema}/${object.kind}`;
    const group = groups.get(key) ?? { key, schema: object.schema, kind: object.kind, objects: [] };
    group.objects.push(object);
    groups.set(key, group);
  }
  const first = (schema: string) => (schema === 'public' ? 0 : 1);
  return [...groups.values()].sort((a, b) => first(a.schema) - first(b.schema) || a.schema.localeCompare(b.schema) || kindRank(a.kind) - kindRank(b.kind));
}

const kinds = ['table', 'partitioned table', 'view', 'materialized view', 'foreign table'];
const kindRank = (kind: string) => (kinds.indexOf(kind) + 1 || kinds.length + 1);

export interface Figures { tables: number; secured: number; forced: number; policies: number; relations: number; open: number; functions: number; definer: number; byAccess: Record<Access, number> }

/** How far the policies reach. An object counts under the most that users get of it. */
export function figuresOf({ objects }: Matrix): Figures {
  const relations = objects.filter((o) => o.section === 'relations');
  const tables = relations.filter((o) => o.rowSecurity !== null);
  const functions = objects.filter((o) => o.section === 'functions');
  const byAccess = { allowed: 0, 'row-filtered': 0, denied: 0 };
  for (const object of relations) byAccess[mostOf(object)]++;
  return {
    tables: tables.length, secured: tables.filter((o) => o.rowSecurity !== 'off').length, forced: tables.filter((o) => o.rowSecurity === 'forced').length,
    policies: new Set(tables.flatMap((o) => [...o.cells.values()].flatMap((c) => c.policies.map((p) => `${p.table} ${p.name}`)))).size,
    relations: relations.length, open: relations.filter(isOpen).length, byAccess,
    functions: functions.length, definer: functions.filter((o) => o.runsAs === 'definer').length,
  };
}

function mostOf(object: MatrixObject): Access {
  const got = [...object.cells.values()].filter(({ role, command }) => users.has(role) && rowCommands.includes(command)).map(({ access }) => access);
  return got.includes('allowed') ? 'allowed' : got.includes('row-filtered') ? 'row-filtered' : 'denied';
}
