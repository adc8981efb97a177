// Tenants, as operators see them: all of them, a new one, and the life of one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, cyd } from '../server.mjs';

let vital;
let console_;
let page; // an operator's

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  page = await console_.signIn(alex, '/operator/tenants');
});

after(() => console_?.stop());

/** Moves the tenant that is shown, for a reason. */
async function move(action, reason) {
  await page.getByRole('button', { name: `${action}…` }).click();
  const asked = page.getByRole('alertdialog');
  const go = asked.getByRole('button', { name: action });
  assert.equal(await go.isDisabled(), true, 'not without a reason');
  await asked.getByLabel('Reason').fill(reason);
  await go.click();
  await asked.waitFor({ state: 'detached' });
}

describe('tenants', () => {
  test('one is made, approved, suspended while its owner has it open, who is told at once, and comes back', async () => {
    await settled(page);
    await page.getByRole('button', { name: 'New tenant' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('Café Ünal & Söhne');
    assert.equal(await form.getByLabel('Slug').inputValue(), 'cafe-unal-sohne', 'suggested from the name');
    await form.getByLabel('Slug').fill('pharma');
    await form.getByLabel('Begins').selectOption('pending');
    await form.getByLabel('Owner').fill('nobody@nowhere.test');
    await form.getByRole('button', { name: 'Create tenant' }).click();
    await form.getByText('Nobody has an account with the address nobody@nowhere.test').waitFor();
    await form.getByLabel('Owner').fill(ada.toUpperCase());
    await form.getByRole('button', { name: 'Create tenant' }).click();
    await form.getByText('There is a tenant with this slug or key already.').waitFor();
    assert.equal(await form.getByLabel('Slug').getAttribute('aria-invalid'), 'true', 'the error is at its field');
    await form.getByLabel('Slug').fill('Not A Slug');
    await form.getByRole('button', { name: 'Create tenant' }).click();
    await form.getByText('Must be lower-case letters').waitFor();
    await form.getByLabel('Slug').fill('cafe');
    await form.getByLabel('Part of').fill('digital-health');
    await form.getByLabel('Reason').fill('contract 4711');
    await assertSound(page, 'new tenant');
    await form.getByRole('button', { name: 'Create tenant' }).click();
    await page.getByRole('heading', { level: 1, name: 'Café Ünal & Söhne' }).waitFor();
    await page.getByRole('link', { name: 'Digital Health' }).waitFor();

    const theirs = await console_.open('/t/cafe/members');
    await theirs.getByLabel('Email').fill(ada);
    await theirs.getByLabel('Password').fill(vital.passwords[ada]);
    await theirs.getByRole('button', { name: 'Sign in' }).click();
    await theirs.getByText('This tenant awaits approval.').waitFor();
    await move('Approve', 'contract signed');
    await theirs.getByRole('button', { name: 'Try again' }).click();
    await theirs.getByRole('cell', { name: `${ada} (you)` }).waitFor();

    await move('Suspend', 'unpaid since May');
    await theirs.getByText('This tenant is suspended.').waitFor();
    assert.equal(await theirs.getByRole('cell', { name: `${ada} (you)` }).count(), 0, 'nothing of it is shown any more');
    await page.getByRole('row', { name: /suspended/i }).getByText('unpaid since May').waitFor();
    await move('Activate', 'paid');
    await theirs.getByRole('button', { name: 'Try again' }).click();
    await theirs.getByRole('cell', { name: `${ada} (you)` }).waitFor();
    assert.deepEqual([...page.faults, ...theirs.faults], []);
  });

  test('its limits, its parent and its cache are the operator\'s to change, and what cannot be is said at its field', async () => {
    await console_.assertSoundEverywhere(page, '/operator/tenants/pharma', 'tenant');
    await page.getByLabel('Requests a second').fill('0.5');
    await page.getByRole('button', { name: 'Save limits' }).click();
    await page.getByText(/must be/i).first().waitFor();
    assert.equal(await page.getByLabel('Requests a second').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Requests a second').fill('250');
    await page.getByRole('button', { name: 'Save limits' }).click();
    await page.getByText('The limits of Pharma were changed').first().waitFor();
    assert.equal(await vital.sql("select limits ->> 'requests_per_second' from tenant_configurations c join organizations o on o.id = c.tenant_id where o.slug = 'pharma'"), '250');
    assert.equal(await vital.sql("select limits ->> 'max_agents' from tenant_configurations c join organizations o on o.id = c.tenant_id where o.slug = 'pharma'"), '100', 'the others stay');

    await page.getByRole('button', { name: 'Change parent' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Part of').fill('pharma');
    await form.getByRole('button', { name: 'Change parent' }).click();
    await form.getByText('An organization cannot be part of itself.').waitFor();
    await form.getByLabel('Part of').fill('nowhere');
    await form.getByRole('button', { name: 'Change parent' }).click();
    await form.getByText('There is no tenant with the slug nowhere.').waitFor();
    await form.getByLabel('Part of').fill('digital-health');
    await form.getByRole('button', { name: 'Change parent' }).click();
    await page.getByRole('link', { name: 'Digital Health' }).waitFor();

    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await page.getByRole('alertdialog').getByLabel('Reason').fill('restored a table');
    await page.getByRole('button', { name: 'Invalidate', exact: true }).click();
    await page.getByRole('row', { name: /cache invalidated/i }).getByText('restored a table').waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('a thousand are paged, searched, sorted and filtered by the server', async () => {
    await vital.sql(`insert into organizations (name, slug, tenant_type, tenant_key, subscription_tier, lifecycle_state)
      select 'Clinic ' || lpad(n::text, 4, '0'), 'clinic-' || n, 'clinic', 'K' || n, case when n % 4 = 0 then 'free' else 'standard' end,
        (case when n % 100 = 0 then 'suspended' else 'active' end)::org_lifecycle_state from generate_series(1, 1000) n`);
    await console_.assertSoundEverywhere(page, '/operator/tenants', 'tenants');
    await page.getByRole('button', { name: 'All 1,004' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 26, 'a page of them, and the heading');
    const answers = [];
    page.on('response', (answer) => { if (answer.url().includes('/rest/v1/organizations')) answers.push(answer.url()); });
    await page.getByRole('button', { name: 'Next page' }).click();
    await page.getByText('26–50 of 1,004').waitFor();
    await page.getByRole('searchbox').fill('clinic 09');
    await page.getByText('1–25 of 100').waitFor();
    await page.getByRole('button', { name: 'Tenant', exact: true }).click();
    await page.getByRole('row').nth(1).getByText('Clinic 0999').waitFor();
    await page.getByRole('button', { name: /^Suspended/ }).click();
    await page.getByText('1–1 of 1', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Clinic 0900' }).waitFor();
    await page.getByRole('searchbox').fill('K77');
    await page.getByText('Nothing matches “K77”').waitFor();
    await page.getByRole('button', { name: /^All/ }).click();
    await page.getByRole('cell', { name: 'Clinic 0077' }).waitFor();
    await page.getByLabel('Tier').selectOption('free');
    await page.getByText('1–2 of 2', { exact: true }).waitFor();
    assert.ok(answers.some((url) => url.includes('ilike')), 'it is the server that searches');
    await page.getByRole('searchbox').fill('50%,)("*\\');
    await page.getByText('Nothing matches').waitFor();
    assert.deepEqual(page.faults, []);
  });

  test('to an admin of a tenant there are no pages of operators, and no rows of theirs', async () => {
    const theirs = await console_.signIn(cyd, '/operator/tenants');
    for (const path of ['/operator/tenants', '/operator/tenants/pharma', '/operator/checks', '/operator/jobs', '/operator/report']) {
      await console_.go(theirs, path);
      await theirs.getByText('There is no such page').waitFor();
    }
    assert.equal(await theirs.getByRole('link', { name: 'Jobs' }).count(), 0);
    const client = await vital.as(cyd);
    for (const name of ['list_jobs', 'list_check_runs', 'list_weekly_reports', 'list_gates']) {
      const { data, error } = await client.rpc(name);
      assert.deepEqual([data, error?.code], [null, 'permission_denied'], name);
    }
  });
});
