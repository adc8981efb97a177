// Taking a tenant out: what arrives whole, what does not, and who is refused.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openArchive } from '../archive.mjs';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ballast, chosen, exhaust, poster, slow, tray, withoutPicker, withPicker } from '../downloads.mjs';
import { ada, alex, ben, cyd } from '../server.mjs';

const settings = '/t/digital-health/settings';
let vital;
let console_;
let weight;
let post;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  [weight, post] = [ballast(vital), poster(vital)];
  await vital.sql(`update user_tenants set role = 'owner' where user_id = (select id from users where email = '${ada}')`);
  await weight.make();
});

after(() => console_?.stop());

/** Asks for everything of the tenant that the page shows the settings of. */
async function ask(page, reason = 'moving away') {
  await page.getByRole('button', { name: 'Download…' }).click();
  const asked = page.getByRole('alertdialog');
  await asked.getByLabel('Reason').fill(reason);
  await asked.getByRole('button', { name: 'Download' }).click();
}

describe('a tenant', () => {
  test('is taken out whole by an owner, for a reason that the audit log has, and nothing of another is in it', async () => {
    const page = await console_.signIn(ada, settings);
    await settled(page);
    await withoutPicker(page);
    await page.getByRole('button', { name: 'Download…' }).click();
    const asked = page.getByRole('alertdialog');
    assert.ok(await asked.getByRole('button', { name: 'Download' }).isDisabled(), 'not without a reason');
    await asked.getByLabel('Reason').fill('  Umzug nach München, 移転 ');
    await assertSound(page, 'what an archive holds');
    const download = page.waitForEvent('download');
    await asked.getByRole('button', { name: 'Download' }).click();
    const file = await download;
    assert.match(file.suggestedFilename(), /^digital-health-\d{4}-\d\d-\d\d\.zip$/);
    const { manifest, tables } = openArchive(await readFile(await file.path()));
    assert.equal(manifest.tenant.slug, 'digital-health');
    assert.ok(tables['public.users'].some(({ email }) => email === ben));
    assert.ok(tables['public.user_tenants'].every(({ tenant_id: id }) => id === manifest.tenant.id));
    assert.ok(tables['public.users'].every(({ email }) => email !== cyd), 'nobody of another tenant');
    await tray(page).getByText(/Complete, [\d.]+ KiB/).waitFor();
    assert.equal(await vital.sql("select concat_ws(' ', action, actor_role, reason) from organization_audit_log where action = 'exported'"), 'exported owner Umzug nach München, 移転');
    await page.getByRole('link', { name: 'Members', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Members' }).waitFor();
    await assertSound(page, 'with a download that is complete');
    await tray(page).getByRole('button', { name: 'Dismiss' }).click();
    await tray(page).waitFor({ state: 'detached' });
  });

  test('goes straight to the file that the user has chosen; while it does the user is elsewhere, another of it is refused, and what is cancelled leaves nothing', async () => {
    await weight.load('digital-health');
    const [page, other] = await Promise.all([console_.signIn(ada, settings), console_.signIn(ada, settings, { width: 390, theme: 'dark' })]);
    await Promise.all([page, other].map(settled));
    await Promise.all([page, other].map(withPicker));
    await slow(page);
    await ask(page);
    const line = tray(page).getByRole('listitem');
    await line.getByText(/[\d.]+ (KiB|MiB) received so far/).waitFor();
    const first = Number(await line.locator('[data-bytes]').getAttribute('data-bytes'));
    await page.getByRole('link', { name: 'Flags', exact: true }).click();
    await page.waitForFunction((first) => Number(document.querySelector('[data-bytes]').dataset.bytes) > first, first);

    await ask(other);
    const refused = other.getByRole('alertdialog');
    await refused.getByText('This is being taken out already.').waitFor();
    await refused.getByText('Wait until that is done, or cancel it.').waitFor();
    assert.deepEqual(await chosen(other), {}, 'an empty file is none');
    await Promise.all([assertSound(page, 'with a download under way'), assertSound(other, 'a download that is refused')]);

    await line.getByRole('button', { name: 'Cancel' }).click();
    await tray(page).waitFor({ state: 'detached' });
    assert.deepEqual(await chosen(page), {});
    await weight.drop();
    for (const end = Date.now() + 30_000; await refused.count() > 0 && Date.now() < end;) { // for a moment the server is still at what was cancelled
      await refused.getByRole('button', { name: 'Download' }).click({ timeout: 1000 }).catch(() => {});
      await Promise.race([refused.waitFor({ state: 'detached', timeout: 2000 }), refused.getByText('conflict').waitFor()]).catch(() => {});
    }
    await tray(other).getByText(/^Complete/).waitFor();
    const [[name, bytes]] = Object.entries(await chosen(other));
    assert.match(name, /^digital-health-.*\.zip$/);
    assert.equal(openArchive(Buffer.from(bytes, 'latin1')).manifest.tenant.slug, 'digital-health');
    await assertSound(other, 'with a download that is complete, dark and small');
    assert.deepEqual([...page.faults, ...other.faults], []);
  });

  test('of which the connection or the tenant was lost is told to be incomplete, and is no file', async () => {
    await weight.load('pharma');
    const page = await console_.signIn(alex, '/t/pharma/settings'); // super admins act for every tenant
    await settled(page);
    await withPicker(page);
    const fast = await slow(page);
    await ask(page, 'asked for by their owner');
    await tray(page).getByText('received so far').waitFor();
    await page.getByRole('button', { name: 'switch tenant' }).click();
    await page.getByRole('menuitem', { name: 'Platform' }).first().click();
    await tray(page).getByText('You went to another tenant before all of it was there.').waitFor();
    assert.deepEqual(await chosen(page), {});

    await console_.go(page, '/t/pharma/settings');
    await withoutPicker(page);
    await ask(page, 'once more');
    await tray(page).getByText('received so far').waitFor();
    page.on('download', () => assert.fail('what is not whole was saved'));
    assert.equal(await weight.breakOff(), '1');
    await fast();
    await tray(page).getByText('The connection was lost before all of it was there. What had arrived is no archive, and was thrown away. Begin again.').waitFor();
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Email').fill(cyd);
    await page.getByLabel('Password').fill(vital.passwords[cyd]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#page h1').first().waitFor();
    assert.equal(await tray(page).count(), 0, 'who signs in next is told nothing of it');
    await weight.drop();
  });

  test('is not shown to who is no owner, and refused to them by the server; so is a seventh within the hour', async () => {
    const [admin, member] = await Promise.all([console_.signIn(cyd, '/t/pharma/settings'), console_.signIn(ben, settings)]);
    await admin.getByRole('heading', { name: 'Retention' }).waitFor();
    assert.equal(await admin.getByText('Download everything').count(), 0);
    await member.getByText('Only admins see the settings').waitFor();
    assert.equal(await member.getByText('Download everything').count(), 0);
    for (const [tenant, email, status, code] of [['pharma', cyd, 403, 'permission_denied'], ['digital-health', ben, 403, 'permission_denied'], ['digital-health', cyd, 404, 'tenant_not_found'], ['pharma', ada, 404, 'tenant_not_found']]) {
      const answer = await post(`/api/tenants/${tenant}/export`, email);
      assert.deepEqual([answer.status, (await answer.json()).code], [status, code], `${email} of ${tenant}`);
    }

    await exhaust(post, '/api/tenants/digital-health/export', ada);
    const page = await console_.signIn(ada, settings);
    await settled(page);
    await withPicker(page);
    await ask(page);
    await page.getByRole('alertdialog').getByText('This tenant was taken out six times within the hour.').waitFor();
    await page.getByRole('alertdialog').getByText('Try again later, or ask the operator.').waitFor();
    assert.deepEqual(await chosen(page), {});
    assert.equal(await tray(page).count(), 0);
  });
});
