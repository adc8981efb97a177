// The console's frame: who gets in, where an address leads, what ends a session, and what it costs to load.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, ben, cyd, dana } from '../server.mjs';

let console_;
let vital;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

/** The tenant that a page is in, as its heading of the pages says. */
const tenantOf = (page) => page.getByRole('button', { name: 'switch tenant' }).innerText();

describe('signing in', () => {
  test('leads to the address that was asked for', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/members');
    await page.getByRole('heading', { name: 'Members' }).waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('leads to the own tenant where the address names none', async () => {
    const page = await console_.signIn(cyd);
    await page.waitForURL('**/console/t/pharma');
  });

  test('with a wrong password is refused, and nothing of the form is lost', async () => {
    const page = await console_.open();
    await assertSound(page, 'sign in');
    await page.getByLabel('Email').fill(ada);
    await page.getByLabel('Password').fill('not-the-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Invalid login credentials').waitFor();
    assert.equal(await page.getByLabel('Email').inputValue(), ada);
  });

  test('stays over a reload, and ends in all tabs of the browser at once', async () => {
    const page = await console_.signIn(ben);
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await tab.locator('#page h1').waitFor();
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    await tab.getByLabel('Password').waitFor();
  });
});

describe('signing in elsewhere', () => {
  /** The sign-in page of a server that answers so to what its own sign-in can do. */
  const openWith = async (status, code) => {
    const page = await console_.open();
    await page.route('**/auth/v1/settings', (route) => route.fulfill({ status, json: { error_code: code } }));
    await page.goto(`${vital.url}/console/t/digital-health/members`);
    return page;
  };

  test('takes an access token, says what is wrong with one, and keeps nothing of it after signing out', async () => {
    const page = await openWith(404, 'sign_in_off');
    await page.getByLabel('Access token').fill('nonsense');
    await assertSound(page, 'token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('not made of three parts').waitFor();
    await page.getByLabel('Access token').fill(await vital.token(ada));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('row', { name: ben }).waitFor();
    await page.reload();
    await page.getByRole('row', { name: ben }).waitFor();
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
    assert.deepEqual(await page.evaluate(() => [...Object.keys(sessionStorage), ...Object.keys(localStorage)]), []);
  });

  test('is not asked for by a server that is only out of order', async () => {
    const page = await openWith(503, 'database_unavailable');
    await page.waitForLoadState('networkidle');
    await page.getByLabel('Password').waitFor({ timeout: 20_000 });
    assert.equal(await page.getByLabel('Access token').count(), 0);
  });
});

describe('tenants', () => {
  test('a forged tenant in the address is not found, and tells nothing of whether there is one', async () => {
    const said = [];
    for (const tenant of ['pharma', 'no-such-tenant']) {
      const page = await console_.signIn(ada);
      await page.goto(`${vital.url}/console/t/${tenant}/members`);
      await page.getByText('There is no such tenant, or you are not a member of it.').waitFor();
      const text = await page.locator('main').innerText();
      assert.doesNotMatch(text, /cyd@|Pharma/);
      said.push(text.replace(/request \w+/, ''));
      await assertSound(page, 'refused');
      await page.getByRole('link', { name: 'To your own tenant' }).click();
      await page.waitForURL('**/console/t/digital-health');
    }
    assert.equal(said[0], said[1]);
  });

  test('two tabs are in two tenants, and do not disturb each other', async () => {
    const one = await console_.signIn(dana, '/t/digital-health/members');
    const other = await one.context().newPage();
    await other.goto(`${vital.url}/console/t/pharma/members`);
    await other.getByRole('row', { name: cyd }).waitFor();
    await one.reload();
    await one.getByRole('row', { name: ada }).waitFor();
    assert.match(await tenantOf(one), /digital-health/);
    assert.match(await tenantOf(other), /pharma/);
    assert.equal(await one.getByRole('row', { name: cyd }).count(), 0);
  });

  test('switching goes there, and the way back in the history goes back', async () => {
    const page = await console_.signIn(dana, '/t/digital-health/members');
    await page.getByRole('row', { name: ada }).waitFor();
    await page.getByRole('button', { name: 'switch tenant' }).click();
    await page.getByRole('menuitem', { name: 'Pharma' }).click();
    await page.waitForURL('**/console/t/pharma');
    await page.getByRole('link', { name: 'Members', exact: true }).click();
    await page.getByRole('row', { name: cyd }).waitFor();
    assert.equal(await page.getByRole('row', { name: ada }).count(), 0);
    await page.goBack();
    await page.goBack();
    await page.getByRole('row', { name: ada }).waitFor();
    assert.equal(await page.getByRole('row', { name: cyd }).count(), 0);
    assert.deepEqual(page.faults, []);
  });

  test("an operator enters a tenant that they are no member of; a tenant's admin sees no page of operators", async () => {
    const operator = await console_.signIn(alex, '/t/pharma/members');
    await operator.getByRole('row', { name: cyd }).waitFor();
    assert.equal(await operator.getByRole('row', { name: ada }).count(), 0, 'and sees that tenant alone');
    const admin = await console_.signIn(ada, '/operator/tenants');
    await admin.getByText('There is no such page').waitFor();
    assert.equal(await admin.getByRole('link', { name: 'Tenants' }).count(), 0);
    await assertSound(admin, 'not found');
  });
});

describe('a session', () => {
  test('that was revoked ends in the page that shows it', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/members');
    await page.getByRole('row', { name: ben }).waitFor();
    const elsewhere = vital.client();
    await elsewhere.auth.signInWithPassword({ email: ada, password: vital.passwords[ada] });
    const began = performance.now();
    await elsewhere.auth.signOut({ scope: 'global' });
    await page.getByLabel('Password').waitFor();
    console.log(`a revoked session is ended in view after ${Math.round(performance.now() - began)} ms`);
    assert.equal(await page.getByText(ben).count(), 0);
  });
});

describe('the page', () => {
  test('says that something could not be read, and why, and reads it when asked again', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/apps');
    await settled(page);
    const busy = { code: 'pool_exhausted', message: 'The server is busy.', hint: 'Try again.', details: null };
    await page.route('**/rest/v1/user_tenants?*', (route) => route.fulfill({ status: 503, json: busy }));
    await page.getByRole('link', { name: 'Members', exact: true }).click();
    await page.getByText('The server is busy.').waitFor({ timeout: 20_000 });
    await assertSound(page, 'failed');
    await page.unroute('**/rest/v1/user_tenants?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('row', { name: ben }).waitFor();
  });

  test('is usable by keyboard: past the navigation, through a menu and back', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/members');
    await page.reload();
    await settled(page);
    await page.keyboard.press('Tab');
    assert.ok(await page.getByRole('link', { name: 'Skip to the page' }).isVisible());
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'page');
    await page.getByRole('button', { name: `Actions for ${ben}` }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Change role…' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('menuitem', { name: 'Change role…' }).waitFor({ state: 'detached' });
    await page.locator(`button[aria-label="Actions for ${ben}"]:focus`).waitFor(); // once the menu is gone
  });

  test('has a menu on a small screen, and is dark where the system is or the user wants it', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/members', { width: 390, theme: 'dark' });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await assertSound(page, 'small and dark');
    await page.getByRole('button', { name: 'Open the menu' }).click();
    const menu = page.getByRole('dialog');
    await menu.getByRole('link', { name: 'Members' }).waitFor();
    await assertSound(page, 'menu');
    await menu.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitemradio', { name: 'Light' }).click();
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
    await page.reload();
    await page.locator('#page h1').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  });

  test('is under a strict content security policy, which is kept', async () => {
    const answer = await fetch(`${vital.url}/console/`, { headers: { Accept: 'text/html' } });
    const policy = answer.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self' 'nonce-\w+';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(await answer.text(), /<script(?![^>]*\ssrc=)[^>]*>|\son\w+=/);
    const page = await console_.open();
    const ran = await page.evaluate(() => new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.body.append(script);
      setTimeout(() => resolve('nothing was refused'), 2000);
    }));
    assert.equal(ran, 'script-src-elem');
    assert.equal(await page.evaluate(() => window.injected), undefined);
  });

  test('is small', async () => {
    const dist = new URL('../../console/dist/assets/', import.meta.url);
    let all = 0;
    for (const name of await readdir(dist)) {
      if (/\.(js|css)$/.test(name)) all += gzipSync(await readFile(new URL(name, dist)), { level: 9 }).length;
    }
    console.log(`scripts and styles of every page: ${Math.round(all / 1024)} kB compressed`);
    assert.ok(all < 350 * 1024, `${all} bytes`);
    const page = await console_.signIn(ada, '/t/digital-health');
    await settled(page);
    await page.reload();
    await settled(page);
    const painted = await (await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)).jsonValue();
    console.log(`first contentful paint of a signed in page: ${Math.round(painted)} ms`);
  });
});
