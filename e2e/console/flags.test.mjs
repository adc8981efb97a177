// A tenant's feature flags in the console.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { flagAt as at, many, odd, plantFlags } from '../flags.mjs';
import { ada, ben, cyd, dana } from '../server.mjs';

let vital;
let console_;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  await plantFlags(vital);
});

after(() => console_?.stop());

const saved = (page) => page.getByText(/^The override is at version \d+$/).first().waitFor();

/** Chooses a variant in the form of the override, and saves it. */
async function override(page, variant, { reason, ends } = {}) {
  const form = page.getByRole('form', { name: 'Override' });
  await form.getByLabel('Variant').selectOption(variant);
  if (ends) await form.getByLabel('Ends').fill(ends);
  if (reason) await form.getByLabel('Reason').fill(reason);
  await form.getByRole('button', { name: /^(Set|Save) override$/ }).click();
}

describe('a tenant’s flags', () => {
  test('500 flags are searched, filtered and paged by the server, 25 at a time', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/flags');
    await settled(page);
    const asked = (part) => page.waitForResponse((response) => response.url().includes('/rest/v1/feature_flags?') && decodeURIComponent(response.url()).includes(part));
    const rows = page.getByRole('table', { name: 'Flags' }).locator('tbody tr');
    assert.equal(await rows.count(), 25);
    await page.getByText(`1–25 of ${many + 6}`).waitFor();

    let answer = asked('offset=25');
    await page.getByRole('button', { name: 'Next page' }).click();
    assert.equal((await (await answer).json()).length, 25);
    await page.getByText(`26–50 of ${many + 6}`).waitFor();

    answer = asked('%option-123%');
    await page.getByLabel('Search by key or name').fill('option-123');
    assert.equal((await (await answer).json()).length, 1);
    await page.getByRole('link', { name: 'area-3.option-123' }).waitFor();
    await page.getByText('1–1 of 1').waitFor();

    await page.getByLabel('Search by key or name').fill('100%_');
    await page.getByText('Nothing matches “100%_”').waitFor();
    await page.getByLabel('Search by key or name').fill('');
    await page.getByLabel('Type').selectOption('number');
    await page.getByText(`1–25 of ${many / 5 + 1}`).waitFor();
    await page.getByLabel('Override').selectOption('yes');
    await page.getByText('No flag is like that').waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('a look is no use: what the console asks of flags is not counted', async () => {
    const page = await console_.signIn(ada, '/t/digital-health');
    const purposes = [];
    page.on('request', (request) => { if (request.url().includes('/ofrep/')) purposes.push(request.headers()['vital-purpose']); });
    await console_.go(page, '/t/digital-health/flags');
    await settled(page);
    await page.getByRole('link', { name: 'area-0.option-000' }).first().click();
    await page.getByText('For you, here and now').waitFor();
    await settled(page);
    assert.ok(purposes.length > 0);
    assert.deepEqual([...new Set(purposes)], ['preview']);
  });

  test('what an admin switches is seen by a member without a reload, and is none of another tenant', async (t) => {
    const path = '/t/digital-health/flags?q=new_dashboard';
    const [page, theirs, elsewhere] = await Promise.all([console_.signIn(ada, path), console_.signIn(ben, path), console_.signIn(cyd, '/t/pharma/flags?q=new_dashboard')]);
    await Promise.all([page, theirs, elsewhere].map(settled));
    await assertSound(page, 'flags');
    assert.equal(await theirs.getByRole('switch').count(), 0, 'a member is offered no switch');
    await theirs.evaluate(() => { window.notReloaded = true; });
    const row = theirs.getByRole('row', { name: 'new_dashboard' });
    await row.getByText('false').first().waitFor();

    const seen = row.getByText('override', { exact: true }).waitFor();
    const started = performance.now();
    await page.getByRole('switch', { name: 'new_dashboard in this tenant' }).click();
    await seen;
    t.diagnostic(`from the click to the other user's page: ${Math.round(performance.now() - started)} ms`);
    await row.getByText('true', { exact: true }).waitFor();
    assert.ok(await theirs.evaluate(() => window.notReloaded));
    await page.getByRole('switch', { name: 'new_dashboard in this tenant', checked: true }).waitFor();

    await console_.go(elsewhere, at('pharma', 'new_dashboard'));
    await elsewhere.getByText('There is none: the rule and the default decide.').waitFor();
    await elsewhere.getByText('No versions yet').waitFor();
    const { error } = await (await vital.as(ben)).rpc('toggle_tenant_feature', { p_flag_key: 'new_dashboard', p_enabled: false });
    assert.equal(error?.code, 'permission_denied', 'nor may they by themselves');
  });

  test('a switch that is refused goes back, and says why', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/flags?q=chat_streaming');
    await settled(page);
    let answer;
    await page.route('**/features/toggle', (route) => { answer = () => route.fulfill({ status: 409, contentType: 'application/json', body: JSON.stringify({ code: 'state_conflict', title: 'The tenant is being moved.', hint: 'Try again later.' }) }); });
    const toggle = page.getByRole('switch', { name: 'chat_streaming in this tenant' });
    await toggle.click();
    await page.getByRole('switch', { name: 'chat_streaming in this tenant', checked: false }).waitFor();
    answer();
    await page.getByRole('switch', { name: 'chat_streaming in this tenant', checked: true }).waitFor();
    await page.getByText('chat_streaming was not switched: The tenant is being moved.').waitFor();
    await page.getByText('Try again later.').waitFor();
  });

  test('an override with a variant and an end is made, compared, rolled back and taken away', async () => {
    const [page, theirs] = await Promise.all([console_.signIn(ada, '/t/digital-health/flags?q=größer'), console_.signIn(ben, at('digital-health', odd))]);
    await page.getByRole('link', { name: odd }).click();
    await page.getByRole('heading', { level: 1, name: odd }).waitFor();
    await page.reload();
    await settled(page);
    await page.getByRole('img', { name: 'beta 25%, old 75%' }).waitFor();
    await page.getByText('segment enterprise').first().waitFor();

    await page.getByRole('form', { name: 'Override' }).getByLabel('Settings').fill('{"cards": ');
    await override(page, 'new', { ends: '2099-12-31T12:00', reason: 'trial' });
    await page.getByText(/^The settings must be JSON/).waitFor();
    await page.getByRole('form', { name: 'Override' }).getByLabel('Settings').fill('{"cards": 3}');
    await override(page, 'new');
    await page.getByText('The override is at version 1').first().waitFor();
    await theirs.getByText('The override of this tenant decided.').waitFor();
    await theirs.getByText('trial').waitFor();
    assert.equal(await theirs.getByRole('form', { name: 'Override' }).count(), 0, 'a member is offered no form');
    assert.equal(await theirs.getByText('History').count(), 0, 'nor the history, which is for admins');
    await override(page, 'beta', { reason: 'further' });
    await page.getByText('The override is at version 2').first().waitFor();
    await assertSound(page, 'flag');

    await page.getByRole('button', { name: 'Actions for version 1' }).click();
    await page.getByRole('menuitem', { name: 'Back to this version…' }).click();
    const asked = page.getByRole('alertdialog');
    assert.match(await asked.locator('del').innerText(), /"variant": "beta"/);
    assert.match(await asked.locator('ins').innerText(), /"variant": "new"/);
    await asked.getByLabel('Reason').fill('beta was worse');
    await asked.getByRole('button', { name: 'Back to version 1' }).click();
    await page.getByRole('row', { name: '3 now' }).getByText('beta was worse').waitFor();
    await theirs.getByText('beta was worse').waitFor();

    await page.getByRole('button', { name: 'Back to the default…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Back to the default' }).click();
    await page.getByText('There is none: the rule and the default decide.').waitFor();
    assert.deepEqual([page.faults, theirs.faults], [[], []]);
  });

  test('of two admins who change it at once, one is told of the other, and nothing of either is lost', async () => {
    await vital.command('member', 'role', dana, 'admin', '--tenant', 'digital-health');
    const [page, theirs] = await Promise.all([console_.signIn(ada, at('digital-health', 'model_tier')), console_.signIn(dana, at('digital-health', 'model_tier'))]);
    await Promise.all([page, theirs].map(settled));
    await theirs.getByRole('form', { name: 'Override' }).getByLabel('Reason').fill('mine');
    // Both send at once: dana's is held back until ada's is written.
    let release;
    await theirs.route('**/rpc/set_tenant_feature', async (route) => { await new Promise((resolve) => { release = resolve; }); await route.continue(); });
    const held = theirs.waitForRequest('**/rpc/set_tenant_feature');
    await override(theirs, 'standard');
    await held;
    await override(page, 'advanced', { reason: 'ada was first' });
    await saved(page);
    release();
    await theirs.getByText('Not saved: somebody else was faster').waitFor();
    await theirs.getByText(`It is at version 1 now, by ${ada}.`).waitFor();
    assert.equal(await theirs.getByLabel('Reason', { exact: true }).inputValue(), 'mine', 'what was typed is still there');
    await theirs.unroute('**/rpc/set_tenant_feature');
    await theirs.getByRole('button', { name: 'Keep mine, to be saved over theirs' }).click();
    await theirs.getByRole('button', { name: 'Save override' }).click();
    await theirs.getByText('The override is at version 2').first().waitFor();
    await page.getByRole('row', { name: '2 now' }).getByText('mine').waitFor();
    await page.getByRole('row', { name: /^1 / }).getByText('ada was first').waitFor();
  });

  test('a change is scheduled, and cancelled; one in the past is refused with its reason', async () => {
    const page = await console_.signIn(ada, at('digital-health', 'max_upload_mb'), { width: 390, theme: 'dark' });
    await settled(page);
    await page.getByRole('button', { name: 'Schedule a change' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('At').fill('2001-01-01T00:00');
    await form.getByLabel('Variant').selectOption('large');
    await form.getByRole('button', { name: 'Schedule', exact: true }).click();
    await form.getByText('p_run_at').first().waitFor();
    await form.getByLabel('At').fill('2099-01-01T00:00');
    await form.getByRole('button', { name: 'Schedule', exact: true }).click();
    const row = page.getByRole('table', { name: 'Scheduled changes' }).getByRole('row').nth(1);
    await row.getByText('pending').waitFor();
    await assertSound(page, 'flag, small and dark');
    await row.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel the change' }).click();
    await row.getByText('cancelled').waitFor();
  });
});
