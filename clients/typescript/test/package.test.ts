import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string>; dependencies?: object };
const app = mkdtempSync(join(tmpdir(), 'vital-package-'));

const run = (command: string, args: string[], cwd = app, timeout = 120_000): string => execFileSync(command, args, { cwd, timeout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'production' } });
const install = (...what: string[]) => run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...what]);
const pinned = (...names: string[]) => names.map((name) => `${name}@${own.devDependencies[name]}`);

/** Runs a file of an application that has the package installed. */
function node(name: string, text: string): string {
  writeFileSync(join(app, name), text);
  return run(process.execPath, [name], app, 10_000).trim(); // a timer that is left behind would keep it running
}

beforeAll(() => {
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }');
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', app], root)) as [{ filename: string }];
  install(`./${filename}`);
});

afterAll(() => { rmSync(app, { recursive: true, force: true }); });

test('the package brings nothing with it, and works alone', () => {
  expect(readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@vital-db']);
  const told = "console.log(typeof createVitalClient, new VitalError({ code: 'x', message: 'm' }) instanceof Error)";
  expect(node('alone.mjs', `import { createVitalClient, VitalError } from '@vital-db/client';\n${told}`)).toBe('function true');
  expect(node('alone.cjs', `const { createVitalClient, VitalError } = require('@vital-db/client');\n${told}`)).toBe('function true');
});

test('its other entries work with their peers, by import and by require', () => {
  install(...pinned('react', 'react-dom', '@tanstack/react-query', '@openfeature/web-sdk', '@openfeature/core', '@types/react', 'typescript'));
  const rendered = `
    const client = createVitalClient({ url: 'http://127.0.0.1', getToken: () => null });
    console.log(renderToString(createElement(TenantAuthProvider, { client }, 'children')), new VitalProvider(client).runsOn, VitalClient === client.constructor);`;
  const names = { '@vital-db/client': 'createVitalClient, VitalClient', '@vital-db/client/react': 'TenantAuthProvider', '@vital-db/client/openfeature': 'VitalProvider', react: 'createElement', 'react-dom/server': 'renderToString' };
  const lines = (line: (from: string, what: string) => string) => Object.entries(names).map(([from, what]) => line(from, what)).join('\n');
  const expected = '<p role="status">Loading…</p> client true';
  expect(node('all.mjs', lines((from, what) => `import { ${what} } from '${from}';`) + rendered)).toBe(expected);
  expect(node('all.cjs', lines((from, what) => `const { ${what} } = require('${from}');`) + rendered)).toBe(expected);
});

test('its types are found by either way of resolving them', () => {
  const text = `import { createVitalClient, type Database, type TenantContext } from '@vital-db/client';
    import { useTenant } from '@vital-db/client/react';
    import { VitalProvider } from '@vital-db/client/openfeature';
    const client = createVitalClient({ url: '', getToken: () => null });
    export const slug: Promise<string> = client.context().then((context: TenantContext) => context.organization.slug);
    export const name = (): string => useTenant().organization.name;
    export const agent: Database['public']['Tables']['agents']['Insert'] = { tenant_id: '', slug: '', name: '' };
    export const provider = new VitalProvider(client);
    // @ts-expect-error -- it has types, and not any
    createVitalClient({ url: 1 });`;
  for (const name of ['types.mts', 'types.cts']) writeFileSync(join(app, name), text);
  const check = (...options: string[]) => run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipDefaultLibCheck', '--target', 'es2022', '--lib', 'es2023,dom', ...options]);
  expect(check('--module', 'nodenext', 'types.mts', 'types.cts')).toBe('');
  expect(check('--module', 'esnext', '--moduleResolution', 'bundler', 'types.mts')).toBe('');
});

test('what is published is well formed', async () => {
  const { messages } = await publint({ pkgDir: root, strict: true });
  expect(messages.map((message) => formatMessage(message, own))).toEqual([]);
  expect(own.dependencies).toBeUndefined();
});
