// The end of a tenant: it is held, its erasure is asked for by one operator, approved by another, called off, and at last run.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { agree, assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, cyd, dana } from '../server.mjs';

const path = '/operator/tenants/old-clinic';
let vital;
let console_;
let first; // the page of the operator who asks
let second; // and of another

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  await vital.sql(`update profiles set role = 'super_admin' where email = '${dana}'`);
  await vital.sql(`insert into organizations (name, slug, tenant_type, tenant_key, lifecycle_state) values ('Old Clinic', 'old-clinic', 'clinic', 'old-clinic', 'suspended')`);
  [first, second] = await Promise.all([console_.signIn(alex, path), console_.signIn(dana, path, { width: 390, theme: 'dark' })]);
});

after(() => console_?.stop());

const erasure = (page) => page.getByRole('region', { name: 'Erasure' });

/** Presses a button of the card, and says why, and the tenant's name, where these are asked for. */
async function step(page, name, { reason, typed } = {}) {
  await erasure(page).getByRole('button', { name: `${name}…` }).click();
  const asked = page.getByRole('alertdialog');
  const go = asked.getByRole('button', { name, exact: true });
  assert.equal(await go.isDisabled(), reason !== undefined || typed !== undefined, `${name} asks`);
  if (reason !== undefined) await asked.getByLabel('Reason').fill(reason);
  if (typed !== undefined) {
    await asked.getByLabel('Type old-clinic to go on').fill('old');
    assert.ok(await go.isDisabled(), `${name} takes the slug`);
    await asked.getByLabel('Type old-clinic to go on').fill(typed);
  }
  return asked;
}

const take = async (page, name, given) => {
  await step(page, name, given);
  await agree(page, name);
};

describe('erasing a tenant', () => {
  test('is for archived ones alone, and never for the platform', async () => {
    await erasure(first).getByText('Only an archived tenant is erased.').waitFor();
    assert.equal(await erasure(first).getByRole('button', { name: 'Request erasure…' }).count(), 0);
    await first.getByRole('button', { name: 'Archive…' }).click();
    await first.getByRole('alertdialog').getByLabel('Reason').fill('contract ended');
    await first.getByRole('alertdialog').getByLabel('Type old-clinic to go on').fill('old-clinic');
    await agree(first, 'Archive');
    await erasure(first).getByRole('button', { name: 'Request erasure…' }).waitFor();
    await console_.go(second, '/operator/tenants/platform');
    await second.getByText('The platform tenant stays active').waitFor();
    assert.equal(await erasure(second).count(), 0);
  });

  test('is asked for with a reason that names nobody, and not approved by who asked', async () => {
    const id = await vital.sql("select id from organizations where slug = 'old-clinic'");
    const asked = await step(first, 'Request erasure', { reason: `of ${id}`, typed: 'old-clinic' });
    await assertSound(first, 'asking for an erasure');
    await asked.getByRole('button', { name: 'Request erasure' }).click();
    await asked.getByText('Must be without the id and address of whom it is about').waitFor();
    assert.equal(await asked.getByLabel('Reason').getAttribute('aria-invalid'), 'true');
    await asked.getByLabel('Reason').fill('letter of 2 March');
    await agree(first, 'Request erasure');
    await erasure(first).getByText('You asked for it yourself, and it takes two').waitFor();
    assert.ok(await erasure(first).getByRole('button', { name: 'Approve…' }).isDisabled());
    await erasure(first).getByText('vital tenant erase old-clinic --approve').waitFor();
    await console_.assertSoundEverywhere(first, path, 'an erasure that was asked for');
    const client = await vital.as(alex);
    const { data: [{ id: erasureId }] } = await client.rpc('list_erasures');
    const { error } = await client.rpc('approve_erasure', { p_id: erasureId });
    assert.deepEqual([error.code, error.message], ['permission_denied', 'You asked for this erasure yourself.'], 'the database refuses it, whatever the page shows');
  });

  test('stands still while the tenant is on legal hold', async () => {
    await console_.go(second, '/operator/tenants');
    await second.getByText('A tenant is to be erased').waitFor();
    await assertSound(second, 'tenants, one of which is to be erased');
    await second.getByRole('link', { name: 'Old Clinic' }).first().click();
    await take(second, 'Place on hold', { reason: 'case 4711 in court' });
    await erasure(second).getByText('case 4711 in court').waitFor();
    await erasure(second).getByText('It cannot be approved while the tenant is on legal hold.').waitFor();
    assert.ok(await erasure(second).getByRole('button', { name: 'Approve…' }).isDisabled());
    await assertSound(second, 'a tenant on hold');
    await first.reload();
    await erasure(first).getByText(`By ${dana}, since`).waitFor();
    await take(first, 'Release', { reason: 'settled', typed: 'old-clinic' });
    await erasure(first).getByText('It is not on legal hold.').waitFor();
  });

  test('is approved by another, waits, and is called off', async () => {
    await second.reload();
    await erasure(second).getByText('It waits for another operator than the one who asked for it.').waitFor();
    await take(second, 'Approve', { typed: 'old-clinic' });
    await erasure(second).getByText(/It may not begin before \d+ \w+ \d{4}/).waitFor();
    await erasure(second).getByText('vital tenant erase old-clinic --run').waitFor();
    await assertSound(second, 'an erasure that waits');
    await first.reload();
    await erasure(first).getByText(new RegExp(`ago by ${dana}|now by ${dana}`)).waitFor();
    await take(first, 'Call off', { reason: 'they came back' });
    await erasure(first).getByText('Called off').waitFor();
    await erasure(first).getByRole('button', { name: 'Request erasure…' }).waitFor();
  });

  test('is run once the time is over, and the tenant is no more', async () => {
    await vital.command('erasure', 'wait', '0s', '--reason', 'for this test');
    await second.reload();
    await take(second, 'Request erasure', { reason: 'they left again', typed: 'old-clinic' });
    await first.reload();
    await take(first, 'Approve', { typed: 'old-clinic' });
    await erasure(first).getByText('It may be run now').waitFor();
    await assertSound(first, 'an erasure that may be run');
    await vital.command('tenant', 'erase', 'old-clinic', '--run', '--yes');
    await first.reload();
    await first.getByText('There is no tenant old-clinic').waitFor();
    await console_.go(first, '/operator/tenants');
    assert.equal(await first.getByText('A tenant is to be erased').count(), 0);
    assert.deepEqual([...first.faults, ...second.faults], []);
  });

  test('is no admin’s to see or to ask for', async () => {
    for (const email of [ada, cyd]) {
      const client = await vital.as(email);
      for (const [name, given] of [['list_erasures'], ['list_legal_holds'], ['request_erasure', { p_subject: 'tenant', p_subject_id: '00000000-0000-0000-0000-000000000001', p_reason: 'x' }], ['set_legal_hold', { p_tenant_id: '00000000-0000-0000-0000-000000000001', p_held: true, p_reason: 'x' }]]) {
        const { data, error } = await client.rpc(name, given);
        assert.deepEqual([data, error?.code], [null, 'permission_denied'], `${name} by ${email}`);
      }
    }
    const page = await console_.signIn(ada, '/operator/tenants/pharma');
    await settled(page);
    await page.getByText('There is no such page').waitFor();
    assert.equal(await erasure(page).count(), 0);
  });
});
