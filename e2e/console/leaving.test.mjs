// Leaving a tenant or a session: nothing of it is left behind, and nothing that is done then goes elsewhere than the address says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { settled, startConsole } from '../console.mjs';
import { ada, alex, ben, cyd, dana } from '../server.mjs';

let console_;
let vital;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

const tenantOf = (page) => page.getByRole('button', { name: 'switch tenant' }).innerText();

async function switchTo(page, name, slug) {
  await page.getByRole('button', { name: 'switch tenant' }).click();
  await page.getByRole('menuitem', { name }).click();
  await page.waitForURL(`**/console/t/${slug}`);
  await settled(page);
}

async function signOut(page) {
  await page.getByRole('button', { name: 'your account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
}

async function signInAgain(page, email) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(vital.passwords[email]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#page h1').first().waitFor();
}

describe('signing in again', () => {
  test('leads to the tenant that the address names, not to that in which the page was loaded', async () => {
    const page = await console_.signIn(dana, '/t/digital-health/members');
    await settled(page);
    await switchTo(page, 'Pharma', 'pharma');
    await signOut(page);
    await signInAgain(page, dana);
    assert.match(new URL(page.url()).pathname, /\/t\/pharma$/);
    assert.match(await tenantOf(page), /pharma/);
    assert.deepEqual(page.faults, []);
  });

  test('on a page that names no tenant leads to the own one, and the way back to that which an address names', async () => {
    const page = await console_.signIn(alex, '/t/pharma');
    await settled(page);
    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    await page.waitForURL('**/console/operator/jobs');
    await settled(page);
    await signOut(page);
    await signInAgain(page, alex);
    assert.match(await tenantOf(page), /platform/);
    await page.goBack();
    await page.waitForURL('**/console/t/pharma');
    await page.getByRole('button', { name: 'switch tenant' }).filter({ hasText: 'pharma' }).waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('as somebody else shows nothing of what the former did', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/members');
    await page.getByRole('button', { name: `Actions for ${dana}` }).click();
    await page.getByRole('menuitem', { name: 'Change role…' }).click();
    await page.getByRole('dialog').getByRole('combobox').selectOption('viewer');
    await page.getByRole('dialog').getByRole('button', { name: 'Change role' }).click();
    await page.getByText(`${dana} is viewer now`).first().waitFor();
    await signOut(page);
    await signInAgain(page, ben);
    assert.equal(await page.getByText(`${dana} is viewer now`).count(), 0);
  });
});


describe('a change', () => {
  /** Holds the first call of a function back, until it is let go or has been given up. */
  async function held(page, name) {
    const calls = [];
    let letGo;
    const gone = new Promise((resolve) => { letGo = resolve; });
    await page.route(`**/rest/v1/rpc/${name}`, async (route) => {
      calls.push({ tenant: route.request().headers()['vital-tenant'] });
      await gone;
      await route.continue().catch(() => {}); // the page may have given it up
    });
    return { calls, letGo };
  }

  test('that is under way when the tenant is left is of the tenant it was begun in, and is begun in no other', async () => {
    const [own, other] = (await vital.sql("select id from public.organizations where slug in ('digital-health', 'pharma') order by slug")).split('\n');
    const page = await console_.signIn(alex, '/t/digital-health/members');
    await settled(page);
    const { calls, letGo } = await held(page, 'invite_member');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.getByRole('dialog').getByLabel('Email').fill('new@digital-health.vital.test');
    await page.getByRole('dialog').getByRole('button', { name: 'Invite' }).click();
    await page.waitForFunction(() => document.querySelector('[role="dialog"] [aria-busy="true"], [role="dialog"] button:disabled'));
    await page.evaluate(() => { history.pushState(null, '', '/console/t/pharma/members'); });
    await page.getByRole('row', { name: cyd }).waitFor();
    letGo();
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.deepEqual(calls, [{ tenant: own }]);
    assert.equal(await vital.sql(`select count(*) from public.invitations where tenant_id = '${other}'`), '0');
    assert.deepEqual(page.faults, []);
  });
});
