// A tenant in the console: its overview and its apps.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { agree, assertSound, row, settled, startConsole, toast } from '../console.mjs';
import { ada, ben } from '../server.mjs';

let vital;
let console_;
const dark = { width: 390, theme: 'dark' };

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

describe('overview', () => {
  test('an admin sees who the tenant is, what it uses, what changed, and the context with what it is revalidated by', async () => {
    const page = await console_.signIn(ada, '/t/digital-health');
    await settled(page);
    await page.getByRole('heading', { name: 'Digital Health', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Members: 3' }).waitFor();
    await page.getByRole('img', { name: 'Agents assigned: 0 % used' }).waitFor();
    await page.getByRole('heading', { name: 'Recent changes' }).waitFor();
    await page.getByText('The context, as your application gets it').click();
    const shown = JSON.parse(await page.getByLabel('The context', { exact: true }).textContent());
    assert.equal(shown.organization.slug, 'digital-health');
    assert.match(await page.getByText(/^"[\w-]{20,}"$/).textContent(), /^"/, 'its ETag');
    await assertSound(page, 'overview');
    await page.getByRole('link', { name: 'Members: 3' }).click();
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor();
  });

  test('a member sees the tenant, but no audit entries and no settings, and none of it is asked for', async () => {
    const page = await console_.signIn(ben, '/t/digital-health', dark);
    const asked = [];
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await console_.go(page, '/t/digital-health');
    await page.getByText('You work in this tenant').waitFor();
    assert.equal(await page.getByText('Recent changes').count(), 0);
    await assertSound(page, 'overview of a member');
    await console_.go(page, '/t/digital-health/settings');
    await page.getByText('Only admins see the settings').waitFor();
    await page.getByRole('button', { name: 'Open the menu' }).click();
    await page.getByRole('link', { name: 'Apps', exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
    assert.deepEqual(asked.filter((one) => /organization_audit_log|\/config$|PATCH/.test(one)), []);
  });

  test('a tenant that is forged into the address is not found, and shows nothing of itself', async () => {
    for (const slug of ['pharma', 'no-such-tenant']) {
      const page = await console_.signIn(ada, `/t/digital-health`);
      await page.goto(`${vital.url}/console/t/${slug}/settings`);
      await page.getByText('There is no such tenant, or you are not a member of it.').waitFor();
      assert.doesNotMatch(await page.locator('body').innerText(), /Pharma|pharmaceuticals|Label checker/);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    }
  });
});

describe('apps', () => {
  test('what one admin switches off is gone from a member\'s overview, which nobody loads again', async () => {
    const [page, theirs] = await Promise.all([console_.signIn(ada, '/t/digital-health/apps'), console_.signIn(ben, '/t/digital-health')]);
    const inUse = theirs.getByRole('list', { name: 'Apps in use' });
    await inUse.getByText('Chat', { exact: true }).waitFor();
    await page.getByRole('switch', { name: 'Chat is on' }).click();
    await inUse.getByText('Chat', { exact: true }).waitFor({ state: 'detached' });
    await row(page, 'Apps', /Chat/).getByText('off', { exact: true }).waitFor();
    await page.getByRole('switch', { name: 'Knowledge is listed' }).click();
    await inUse.getByText('Knowledge', { exact: true }).waitFor();
    assert.deepEqual((await console_.configuration(ben)).enabled_apps, ['dashboard', 'chat', 'agents', 'knowledge']);
  });

  test('apps are moved by keyboard, which stays where it was; added, refused a second time, edited and removed', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/apps');
    await settled(page);
    await page.getByRole('button', { name: 'Move Agents up' }).focus();
    await page.keyboard.press('Enter');
    await toast(page, 'Agents is number 2 of 4');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Move Agents up');
    await page.keyboard.press('Enter');
    await toast(page, 'Agents is number 1 of 4');
    assert.deepEqual((await console_.configuration(ada)).apps.map(({ app_key: key }) => key), ['agents', 'dashboard', 'chat', 'knowledge']);

    await page.getByRole('button', { name: 'Add app' }).click();
    const form = page.getByRole('dialog');
    const fill = async (fields) => { for (const [label, value] of Object.entries(fields)) await form.getByLabel(label, { exact: true }).fill(value); };
    await fill({ Key: 'chat', Name: 'Trials', Route: '/trials', Settings: '{"page": ' });
    await form.getByText('This is not JSON').waitFor();
    await fill({ Settings: '{"page": 20}' });
    await form.getByRole('button', { name: 'Add app' }).click();
    await form.getByText('There is an app with this key.').waitFor();
    await fill({ Key: 'trials' });
    await form.getByRole('button', { name: 'Add app' }).click();
    await row(page, 'Apps', /Trials/).getByText('in use').waitFor();

    await page.getByRole('button', { name: 'Actions for Trials' }).click();
    await page.getByRole('menuitem', { name: 'Edit…' }).click();
    assert.deepEqual(JSON.parse(await form.getByLabel('Settings').inputValue()), { page: 20 });
    await fill({ Name: 'Studies' });
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Actions for Studies' }).click();
    await page.getByRole('menuitem', { name: 'Remove…' }).click();
    await agree(page, 'Remove');
    await row(page, 'Apps', /Studies/).waitFor({ state: 'detached' });
    assert.ok(!(await console_.configuration(ada)).enabled_apps.includes('trials'), 'nor is it listed any more');
    await assertSound(page, 'apps');
  });

  test('a member sees the apps, and can change none', async () => {
    const page = await console_.signIn(ben, '/t/digital-health/apps', dark);
    await row(page, 'Apps', /Dashboard/).waitFor();
    assert.equal(await page.getByRole('switch').count() + await page.getByRole('button', { name: /Add app|Move|Actions/ }).count(), 0);
    await assertSound(page, 'apps of a member');
  });
});
