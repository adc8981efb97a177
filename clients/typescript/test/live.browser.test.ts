import { execFileSync } from 'node:child_process';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { fromSupabase, VitalClient } from '../src/index.js';
import { launch } from './chromium.js';

const { url, anonKey, passwords } = inject('vital');
const site = inject('site');
const ada = 'ada@digital-health.vital.test'; // admin of digital-health
const dana = 'dana@pharma.vital.test'; // member of pharma and of digital-health

let browser: Browser;

beforeAll(async () => {
  const example = new URL('../example', import.meta.url).pathname;
  execFileSync('npm', ['run', 'build', '--silent', '--', '--outDir', site.directory, '--emptyOutDir', '--logLevel', 'error'], {
    cwd: example, env: { ...process.env, NODE_ENV: 'production', VITE_VITAL_URL: url, VITE_VITAL_ANON_KEY: anonKey },
  });
  browser = await launch();
});

afterAll(() => browser?.close());

/** A browser of its own, with what its pages complain of. */
async function newBrowser(): Promise<{ context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext();
  const complaints: string[] = [];
  context.on('page', (page) => page.on('pageerror', (error) => complaints.push(error.message)));
  onTestFinished(() => context.close());
  return { context, complaints };
}

async function open(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  return page;
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(passwords[email]!);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();
const kept = (page: Page, where: 'localStorage' | 'sessionStorage') => page.evaluate((name) => Object.keys(window[name]).filter((key) => key.startsWith('vital:')), where);

test('two tabs in two tenants; a flag an admin switches is in one of them without a reload', async () => {
  const { context, complaints } = await newBrowser();
  const one = await open(context);
  await signIn(one, dana);
  await heading(one, 'Pharma');
  const other = await open(context);
  await heading(other, 'Pharma');
  await other.getByLabel('Tenant').selectOption({ label: 'Digital Health' });
  await heading(other, 'Digital Health');
  await one.reload();
  await other.reload();
  await Promise.all([heading(one, 'Pharma'), heading(other, 'Digital Health')]);
  expect(await kept(one, 'localStorage')).toEqual([]);

  const supabase = createClient(url, anonKey, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: class {} as never } });
  await supabase.auth.signInWithPassword({ email: ada, password: passwords[ada]! });
  const admin = new VitalClient({ url, ...fromSupabase(supabase), storage: null });
  await Promise.all([one, other].map((page) => page.getByText('is not switched on here').waitFor()));
  const began = performance.now();
  await admin.features.toggle('new_dashboard', true);
  await other.getByRole('region', { name: 'New dashboard' }).waitFor();
  console.log(`from a toggle to its panel in a page: ${(performance.now() - began).toFixed(0)} ms`);
  expect(await one.getByText('is not switched on here').isVisible()).toBe(true);
  await admin.features.toggle('new_dashboard', null);
  await other.getByText('is not switched on here').waitFor();

  await one.getByRole('button', { name: 'Sign out' }).click();
  await Promise.all([one, other].map((page) => page.getByRole('heading', { name: 'Sign in' }).waitFor()));
  expect(await Promise.all([one, other].map((page) => kept(page, 'sessionStorage')))).toEqual([[], []]);
  expect(complaints).toEqual([]);
});

test('an admin changes the configuration by a form; of two, the second is told', async () => {
  const { context, complaints } = await newBrowser();
  const [first, second] = await Promise.all([open(context), open(context)]);
  await signIn(first, ada);
  await Promise.all([first, second].map((page) => page.getByLabel('Colour').waitFor()));
  await expect.poll(async () => { // begun before the other saves, and after what a page loads once it has a session
    await second.getByLabel('Colour').fill('#9A3412');
    await second.waitForTimeout(500);
    return second.getByLabel('Colour').inputValue();
  }).toBe('#9A3412');
  await first.getByLabel('Colour').fill('#7C3AED');
  await first.getByRole('button', { name: 'Save' }).click();
  await Promise.all([first, second].map((page) => page.getByText('Colour #7C3AED').waitFor()));
  await second.getByText('Somebody has changed it').waitFor();
  expect(await first.getByText('Somebody has changed it').isVisible(), 'of one\'s own change there is no news').toBe(false);
  expect(await second.getByLabel('Colour').inputValue(), 'what was typed stays').toBe('#9A3412');
  await second.getByRole('button', { name: 'Save' }).click();
  await second.getByRole('alert').waitFor();
  expect(await second.getByRole('alert').textContent()).toContain('changed');
  await second.getByRole('button', { name: 'Show what it is now' }).click();
  expect(await second.getByLabel('Colour').inputValue()).toBe('#7C3AED');
  await second.getByLabel('Colour').fill('#9A3412');
  await second.getByRole('button', { name: 'Save' }).click();
  await Promise.all([first, second].map((page) => page.getByText('Colour #9A3412').waitFor()));
  expect(complaints).toEqual([]);
});

test('where fetch does not stream, an EventSource brings the change', async () => {
  const { context } = await newBrowser();
  await context.addInitScript(() => { Reflect.deleteProperty(window, 'TextDecoderStream'); });
  const page = await open(context);
  const opened = page.waitForResponse((response) => response.url().includes('/v1/context/events?token='));
  await signIn(page, ada);
  await page.getByText('Colour #').waitFor();
  await opened;
  await page.getByLabel('Colour').fill('#AA0000');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Colour #AA0000').waitFor();
});
