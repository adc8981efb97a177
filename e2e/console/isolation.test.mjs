// Isolation and the cache in the console, for operators.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, ben } from '../server.mjs';

let vital;
let console_;
let page;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  page = await console_.signIn(alex, '/operator/isolation');
});

after(() => console_?.stop());

const psql = (text) => vital.sql(text);

const cell = (object, name) => page.getByRole('row', { name: new RegExp(`^${object}\\b`) }).getByRole('gridcell', { name, exact: true });

describe('isolation', () => {
  test('the heatmap shows what policies filter, and opens the policy', async () => {
    await settled(page);
    await page.getByText('Nobody has attacked this database yet').waitFor();
    await page.getByText('vital rls prove').first().waitFor();
    await assertSound(page, 'isolation');

    assert.equal(await page.getByRole('columnheader', { name: 'authenticated select' }).count(), 1);
    await cell('agents', 'authenticated select: row-filtered').click();
    const panel = page.getByRole('dialog', { name: 'public.agents' });
    await panel.getByText('agents_select_member').waitFor();
    assert.match(await panel.getByLabel('USING').first().innerText(), /^tenant_id = ANY \(ARRAY\(SELECT vital\.readable_tenant_ids\(\)\)\)$/);
    await panel.getByText('on, and forced on its owner too').waitFor();
    await assertSound(page, 'a cell');

    await panel.getByRole('button', { name: 'insert row-filtered' }).click();
    await panel.getByLabel('WITH CHECK').first().waitFor();
    await panel.getByRole('button', { name: 'truncate denied' }).click();
    await panel.getByText('no privilege').waitFor();
    assert.equal(await panel.getByLabel('USING').count(), 0, 'where the privilege is missing no policy is asked');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
  });

  test('the arrow keys go from cell to cell, and Enter opens one', async () => {
    const focused = () => page.evaluate(() => `${document.activeElement.closest('tr')?.querySelector('th')?.textContent} | ${document.activeElement.getAttribute('aria-label')}`);
    await cell('break_glass', 'authenticated select: row-filtered').click();
    await page.getByRole('dialog', { name: 'public.break_glass' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator('[role=grid] td:focus').waitFor(); // Radix gives the focus back a moment later
    assert.equal(await focused(), 'break_glass | authenticated select: row-filtered', 'the focus is where it was');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'chat_sessions | authenticated select: row-filtered');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'chat_sessions | authenticated insert: row-filtered');
    await page.keyboard.press('Home');
    assert.equal(await focused(), 'chat_sessions | PUBLIC select: denied');
    await page.keyboard.press('Control+End');
    assert.match(await focused(), / \| service_role delete: /);
    assert.ok(await page.evaluate(() => Number(document.activeElement.closest('tr').getAttribute('aria-rowindex'))) > 25, 'the last row was made when the focus went there');
    await page.keyboard.press('Control+Home');
    assert.equal(await focused(), 'agents | PUBLIC select: denied');
    assert.equal(await page.locator('[role=grid] td[tabindex="0"]').count(), 1, 'the table is one stop of the Tab key');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'public.agents' }).getByText('PUBLIC · select').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('filters show what is looked for, and the address keeps them', async () => {
    await page.getByLabel('Search by name').fill('flag version');
    await page.getByText(/^\d relations$/).waitFor();
    assert.deepEqual(await page.getByRole('rowheader').allInnerTexts().then((names) => names.filter((name) => name.includes('flag')).sort()), ['feature_flag_versions', 'tenant_feature_flag_versions']);
    await page.getByLabel('Search by name').fill('no such thing');
    await page.getByText('Nothing is like that').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();

    await page.getByLabel('Kind', { exact: true }).selectOption('view');
    await page.getByRole('button', { name: /public \d+ views/ }).waitFor();
    assert.equal(await cell('agents', 'authenticated select: row-filtered').count(), 0);
    await page.getByLabel('Kind', { exact: true }).selectOption('');
    await page.getByLabel('Role', { exact: true }).selectOption('anon');
    await page.getByLabel('Access', { exact: true }).selectOption('row-filtered');
    await page.getByText('Nothing is like that').waitFor();
    await page.getByLabel('Role', { exact: true }).selectOption('authenticated');
    await page.getByLabel('Access', { exact: true }).selectOption('denied');
    await cell('organizations', 'authenticated delete: denied').waitFor();
    assert.equal(await page.getByRole('columnheader', { name: 'service_role' }).count(), 0);

    await page.reload();
    await cell('organizations', 'authenticated delete: denied').waitFor();
    await page.getByRole('button', { name: /^Functions/ }).click();
    await page.getByLabel('Access', { exact: true }).selectOption('allowed');
    await cell('create_organization|change_member_role', 'authenticated execute: allowed').first().waitFor();
  });

  test('a table without row-level security raises the alarm when it is read again', async () => {
    await console_.go(page, '/operator/isolation');
    assert.equal(await page.getByText('open to users past any policy').count(), 0);
    await psql('create table public.leaky (id int, tenant_id uuid); grant select on public.leaky to authenticated');
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByRole('alert').getByText('One relation is open to users past any policy').waitFor();
    await page.getByRole('alert').getByText('public.leaky').waitFor();
    await page.getByLabel('Access', { exact: true }).selectOption('open');
    await cell('leaky', 'authenticated select: allowed past any policy').click();
    const panel = page.getByRole('dialog', { name: 'public.leaky' });
    await panel.getByText('row-level security is off').waitFor();
    await panel.getByText('Enable and force row-level security').waitFor();
    await assertSound(page, 'the alarm');
    await page.keyboard.press('Escape');
    await psql('drop table public.leaky');
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByText('Nothing is like that').waitFor();
  });

  test('a proof is told with its findings, and by the object it is about', async () => {
    await psql(`insert into vital.check_runs (check_name, status, findings, details, duration_ms) values
      ('proof', 'failed', 1, '[{"check":"read_any","object":"public.agents","detail":"read the other tenant’s rows, as member"}]', 12000)`);
    await console_.go(page, '/operator/isolation?object=public.agents&as=authenticated&command=select');
    const panel = page.getByRole('dialog', { name: 'public.agents' });
    await panel.getByText('1 found').waitFor();
    await panel.getByText('read the other tenant’s rows, as member').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('list', { name: 'What the last proof found' }).getByText('public.agents').waitFor();
    await psql(`insert into vital.check_runs (check_name, status, findings, details, duration_ms) values ('proof', 'ok', 0, '[]', 12000)`);
    await page.reload();
    await page.getByText('nothing got through', { exact: true }).waitFor();
  });

  test('on a telephone one role is shown at a time', async () => {
    const phone = await console_.signIn(alex, '/operator/isolation', { width: 390, theme: 'dark' });
    await settled(phone);
    assert.deepEqual(await phone.getByRole('columnheader').allInnerTexts().then((names) => names.filter((name) => !/select|insert|update|delete/.test(name))), ['Object', 'authenticated']);
    await phone.getByLabel('Role', { exact: true }).selectOption('service_role');
    await phone.getByRole('gridcell', { name: 'service_role select: allowed' }).first().waitFor();
    await assertSound(phone, 'isolation, dark, 390 px');
    await console_.go(phone, '/operator/cache');
    await phone.getByRole('heading', { name: 'Propagation' }).waitFor();
    await assertSound(phone, 'cache, dark, 390 px');
    await phone.context().close();
  });

  test('a tenant’s admin finds nothing there', async () => {
    const theirs = await console_.signIn(ada, '/operator/isolation');
    await theirs.getByText('There is no such page').waitFor();
    await console_.go(theirs, '/operator/cache');
    await theirs.getByText('There is no such page').waitFor();
    assert.deepEqual(theirs.faults, []);
    await theirs.context().close();
  });
});

describe('cache', () => {
  const context = (token) => fetch(`${vital.url}/v1/context`, { headers: { Authorization: `Bearer ${token}` } });

  test('the hit rate rises as another client reads contexts, until it is paused', async () => {
    await console_.go(page, '/operator/cache');
    await page.getByText('live, every 2 s').waitFor();
    const row = page.getByRole('region', { name: 'Levels of memory' }).getByRole('row', { name: /^Contexts/ });
    const hits = async () => Number((await row.getByRole('cell').nth(2).innerText()).replaceAll(',', ''));
    const ever = async () => Number(/([\d.]+) % ever/.exec(await row.innerText())[1]);
    const [before, rate] = [await hits(), await ever()];
    const token = await vital.token(ben);
    for (let n = 0; n < 200; n++) await context(token);
    for (const end = Date.now() + 10_000; await hits() < before + 199 && Date.now() < end;) await page.waitForTimeout(100);
    assert.ok(await hits() >= before + 199, 'the hits are counted');
    assert.ok(await ever() > rate, 'the rate rises');
    await assertSound(page, 'cache');

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    await page.waitForTimeout(300); // for an answer that was on its way
    const still = await hits();
    for (let n = 0; n < 20; n++) await context(token);
    await page.waitForTimeout(2500);
    assert.equal(await hits(), still, 'nothing is read while it is paused');
    await page.getByRole('button', { name: 'Go on' }).click();
    for (const end = Date.now() + 5000; await hits() < still + 20 && Date.now() < end;) await page.waitForTimeout(100);
    assert.ok(await hits() >= still + 20);
  });

  test('invalidating a tenant raises its version, and says before what it does', async () => {
    const token = await vital.token(ada);
    const version = async () => Number((await context(token)).headers.get('Vital-Version').split('.')[1]);
    const before = await version();
    await page.getByLabel('Search tenants by name or slug').fill('no such tenant');
    await page.getByText('No tenant has “no such tenant”').waitFor();
    await page.getByLabel('Search tenants by name or slug').fill('digital');
    await page.getByRole('button', { name: /Digital Health/ }).and(page.locator('[aria-pressed]')).click();
    const looked = page.getByRole('region', { name: 'Cache of Digital Health' });
    await looked.getByText(String(before), { exact: true }).waitFor();
    await looked.getByRole('button', { name: 'Look up again' }).click();
    await looked.getByText('from memory').waitFor();

    await looked.getByRole('button', { name: 'Invalidate…' }).click();
    const asked = page.getByRole('alertdialog');
    await asked.getByText('No data is changed').waitFor();
    await asked.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await version(), before);
    await looked.getByRole('button', { name: 'Invalidate…' }).click();
    await asked.getByLabel('Reason (optional)').fill('put back by hand');
    await asked.getByRole('button', { name: 'Invalidate' }).click();
    await asked.waitFor({ state: 'detached' });
    assert.ok(await version() > before);
    assert.equal(await vital.sql("select reason from organization_audit_log where action = 'cache_invalidated' order by created_at desc limit 1"), 'put back by hand');
    await looked.getByText(String(before), { exact: true }).waitFor({ state: 'detached' });
    assert.deepEqual(page.faults, []);
  });

  test('measurements that cannot be read are told, and what was read stays', async () => {
    await page.route('**/metrics', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }));
    await page.getByText('The server’s measurements cannot be read.').waitFor();
    await page.getByText('not readable').waitFor();
    assert.ok(await page.getByRole('region', { name: 'Levels of memory' }).isVisible());
    await page.unroute('**/metrics');
    await page.getByText('live, every 2 s').waitFor();
  });
});
