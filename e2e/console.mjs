// The console in a real browser, as a user has it: signed in by the form, watched for what a page must not do.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { launch } from './chromium.mjs';
import { up } from './server.mjs';

const axe = await readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** `vital up` and a browser; `stop` ends both. */
export async function startConsole(env = {}) {
  const [vital, browser] = await Promise.all([up(env), launch()]);
  return new Console(vital, browser);
}

class Console {
  constructor(vital, browser) {
    this.vital = vital;
    this.browser = browser;
  }

  /** A browser that remembers nothing, on the page of the console at `path`, before anybody signs in. */
  async open(path = '/', { width = 1280, height = width < 500 ? 844 : 860, theme = 'light' } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' });
    context.setDefaultTimeout(45_000);
    const page = await context.newPage();
    page.faults = watch(page, this.vital.url);
    await page.goto(this.#address(path));
    return page;
  }

  /** As {@link open}, signed in as a demo user. */
  async signIn(email, path = '/', options = {}) {
    const page = await this.open(path, options);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(this.vital.passwords[email]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#page').waitFor();
    return page;
  }

  /** Goes to another page of the console, as by its address. */
  async go(page, path) {
    await page.goto(this.#address(path));
    await settled(page);
  }

  /** Goes to a page and holds it to what every page must be, on a large light screen and on a small dark one. */
  async assertSoundEverywhere(page, path, name) {
    await this.go(page, path);
    await assertSound(page, name);
    const context = await this.browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce', storageState: await page.context().storageState() });
    try {
      const small = await context.newPage();
      small.faults = watch(small, this.vital.url);
      await this.go(small, path);
      await assertSound(small, `${name} on a small screen`);
    } finally {
      await context.close();
    }
  }

  #address(path) {
    return `${this.vital.url}/console${path}`;
  }

  /** The configuration of a user's tenant, as an application gets it. */
  async configuration(email) {
    const response = await fetch(`${this.vital.url}/v1/context`, { headers: { Authorization: `Bearer ${await this.vital.token(email)}` } });
    return (await response.json()).config;
  }

  async stop() {
    await this.browser?.close();
    await this.vital?.stop();
  }
}

/** What a page does that none may: errors, breaches of the content security policy, requests to others. */
function watch(page, origin) {
  const faults = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // That an answer was 4xx is no fault of the page: whether it is told to the user, the test says.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith('http') && asked !== origin) faults.push(`request to ${asked}`);
  });
  return faults;
}

/** Waits until nothing on the page is loading any more. */
export async function settled(page) {
  await page.locator('#page h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], #page [role="status"] .animate-pulse'));
}

/**
 * Holds a page to what every page must be: no fault, nothing wider than the screen, and no finding of axe that is serious or critical.
 */
export async function assertSound(page, name) {
  assert.deepEqual(page.faults, [], `${name}: faults`);
  const { clientWidth, scrollWidth } = await page.evaluate(({ documentElement: { clientWidth, scrollWidth } } = document) => ({ clientWidth, scrollWidth }));
  assert.ok(scrollWidth <= clientWidth, `${name}: ${scrollWidth} px wide on a screen of ${clientWidth}`);
  await page.evaluate(() => new Promise((painted) => { requestAnimationFrame(() => requestAnimationFrame(painted)); })); // or what was just enabled is still pale
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).slice(0, 3).join(' | ')}`);
  assert.deepEqual(serious, [], `${name}: axe`);
}

/** Says yes to what is asked, and waits until it is done: as long as it is asked, nothing else of the page is there to be found. */
export async function agree(page, action) {
  const asked = page.getByRole('alertdialog');
  await asked.getByRole('button', { name: action }).click();
  await asked.waitFor({ state: 'detached' });
}

/** Waits until the page has told the user so. */
export const toast = (page, text) => page.getByRole('status').filter({ hasText: text }).first().waitFor();

/** A row of one of the page's tables. */
export const row = (page, table, name) => page.getByRole('region', { name: table, exact: true }).getByRole('row', { name });
