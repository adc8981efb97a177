import { describe, expect, test } from 'vitest';
import { cellKey, commandsOf, figuresOf, groupsOf, isOpen, matrixOf, passes, rolesShown, schemaOf, type MatrixRow } from './matrix';

const row = (of: Partial<Record<keyof MatrixRow, unknown>>) => ({
  kind: 'table', object: 'public.notes', role: 'authenticated', command: 'select', access: 'denied', reason: 'no privilege', columns: null, policies: [],
  row_security: 'forced', runs_as: null, owner: 'owner', volatility: null, ...of,
}) as MatrixRow;

const policy = { table: 'public.notes', name: 'notes_select', permissive: true, using: 'true' };
const rows = [
  row({ access: 'row-filtered', policies: [policy] }), row({ role: 'service_role', access: 'allowed', reason: 'BYPASSRLS' }),
  row({ role: 'owner', access: 'allowed', reason: 'privilege' }), row({ command: 'truncate' }),
  row({ object: 'public.leaky', access: 'allowed', reason: 'row-level security is off', row_security: 'off' }),
  row({ object: 'jobs.queue', role: 'worker', access: 'allowed', reason: 'row-level security is off', row_security: 'off' }),
  row({ kind: 'function', object: 'public.f(text)', command: 'execute', access: 'allowed', reason: 'privilege', row_security: null, runs_as: 'definer', volatility: 'stable' }),
];
const matrix = matrixOf(rows);
const object = (name: string) => matrix.objects.find((o) => o.name === name)!;
const standing = (name: string, role: string, command = 'select') => object(name).cells.get(cellKey(role, command))?.standing;

describe('the matrix', () => {
  test('has one object for its cells', () => {
    expect(matrix.objects.map(({ name, section, short }) => [name, section, short])).toEqual([
      ['public.notes', 'relations', 'notes'], ['public.leaky', 'relations', 'leaky'], ['jobs.queue', 'relations', 'queue'], ['public.f(text)', 'functions', 'f(text)'],
    ]);
  });

  test('tells who is exempt from whom nothing stops', () => {
    expect(standing('public.notes', 'authenticated')).toBe('filtered');
    expect(standing('public.notes', 'service_role')).toBe('exempt');
    expect(standing('public.notes', 'owner')).toBe('exempt');
    expect(standing('public.leaky', 'authenticated')).toBe('open');
    expect(standing('jobs.queue', 'worker')).toBe('granted');
    expect(standing('public.f(text)', 'authenticated', 'execute')).toBe('exempt');
    expect(matrix.objects.filter(isOpen).map(({ name }) => name)).toEqual(['public.leaky']);
  });

  test('has the roles of requests first, and can be narrowed to them or one', () => {
    expect(matrix.roles).toEqual(['authenticated', 'service_role', 'owner', 'worker']);
    expect(rolesShown(matrix.roles, '')).toEqual(['authenticated', 'service_role']);
    expect(rolesShown(matrix.roles, 'all')).toEqual(matrix.roles);
    expect(rolesShown(matrix.roles, 'worker')).toEqual(['worker']);
    expect(rolesShown(['bob'], ''), 'of a stranger’s database all').toEqual(['bob']);
  });

  test('has the commands on rows, and all when asked', () => {
    expect(commandsOf(matrix.objects, 'relations', false)).toEqual(['select']);
    expect(commandsOf(matrix.objects, 'relations', true)).toEqual(['select', 'truncate']);
    expect(commandsOf(matrix.objects, 'functions', false)).toEqual(['execute']);
  });

  test('is grouped by schema and kind, public first', () => {
    expect(groupsOf(matrix.objects).map(({ schema, kind, objects }) => [schema, kind, objects.length])).toEqual([['public', 'table', 2], ['public', 'function', 1], ['jobs', 'table', 1]]);
  });

  test('counts', () => {
    expect(figuresOf(matrix)).toEqual({ tables: 3, secured: 1, forced: 1, policies: 1, relations: 3, open: 1, functions: 1, definer: 1, byAccess: { allowed: 1, 'row-filtered': 1, denied: 1 } });
  });
});

test('schemas are told from names, also quoted ones', () => {
  expect(['public.notes', '"my.schema".notes', '"a""b.".c'].map(schemaOf)).toEqual(['public', '"my.schema"', '"a""b."']);
});

test('a filter takes words in any order, the kind, and the access of what is shown', () => {
  const all = { search: '', kind: '', access: '', roles: matrix.roles, commands: ['select'] };
  const names = (filter: Partial<typeof all>) => matrix.objects.filter((o) => passes(o, { ...all, ...filter })).map(({ name }) => name);
  expect(names({})).toHaveLength(4);
  expect(names({ search: 'NOTES pub' })).toEqual(['public.notes']);
  expect(names({ kind: 'function' })).toEqual(['public.f(text)']);
  expect(names({ access: 'open' })).toEqual(['public.leaky']);
  expect(names({ access: 'allowed', roles: ['authenticated'] })).toEqual(['public.leaky']);
  expect(names({ access: 'denied', commands: ['truncate'] })).toEqual(['public.notes']);
});
