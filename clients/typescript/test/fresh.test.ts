import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { up } from '../scripts/vital.mjs';
import { launch } from './chromium.js';
import { until } from './fake.js';

const root = new URL('..', import.meta.url).pathname;
const app = mkdtempSync(join(tmpdir(), 'vital-fresh-'));
const directory = join(app, 'my-app');
const ada = 'ada@digital-health.vital.test'; // admin of digital-health

const run = (command: string, args: string[], cwd = directory): string => execFileSync(command, args, { cwd, timeout: 240_000, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let vital: Awaited<ReturnType<typeof up>>;
let origin: string;

beforeAll(async () => {
  origin = `http://127.0.0.1:${await freePort()}`;
  vital = await up({ VITAL_CORS_ORIGINS: origin });
});

afterAll(async () => {
  await vital?.stop();
  rmSync(app, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The page to paste, as the README has it. */
function page(): string {
  const [, text] = /```tsx\n(import [\s\S]*?createRoot\([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  expect(text, 'the README has a page').toBeDefined();
  return text!;
}

/** Serves what was built, until the test ends. */
async function serve(): Promise<void> {
  const server = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'preview', '--host', '127.0.0.1', '--port', new URL(origin).port, '--strictPort'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  server.stdout.on('data', (text) => { told += text; });
  onTestFinished(() => { server.kill(); });
  await until(() => told.includes('Local'), 'the page is served', 30_000);
}

test('the page of the README, pasted into what npm create vite makes, signs in and shows the tenant', async () => {
  run('npm', ['create', 'vite@9.3.0', 'my-app', '--yes', '--', '--template', 'react-ts', '--no-interactive'], app);
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', app], root)) as [{ filename: string }];
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', join(app, filename), '@supabase/supabase-js', '@tanstack/react-query']);
  writeFileSync(join(directory, 'src/main.tsx'), page());
  writeFileSync(join(directory, '.env.local'), `VITE_VITAL_URL=${vital.url}\nVITE_VITAL_ANON_KEY=${vital.anonKey}\n`);
  run('npm', ['run', 'build']); // which is tsc -b && vite build

  await serve();
  const browser = await launch();
  onTestFinished(() => browser.close());
  const tab = await browser.newPage();
  const complaints: string[] = [];
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('dialog', (dialog) => dialog.accept(dialog.message() === 'Email' ? ada : vital.passwords[ada]));
  await tab.goto(origin);
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.getByRole('heading', { name: 'Digital Health' }).waitFor();
  expect(await tab.getByText(ada).textContent()).toContain('standard');
  await tab.getByRole('button', { name: 'Make it teal' }).click();
  await tab.locator('main[style*="rgb(15, 118, 110)"]').waitFor();
  expect(complaints).toEqual([]);
});
