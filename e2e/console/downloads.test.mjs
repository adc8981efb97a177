// Taking data out: a tenant by its owners, one's own by everybody; what arrives whole, what does not, and who is refused.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openArchive } from '../archive.mjs';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, ben, cyd } from '../server.mjs';

let vital;
let console_;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  await vital.sql(`update user_tenants set role = 'owner' where user_id = (select id from users where email = '${ada}')`);
  await vital.sql(`create table public.ballast (tenant_id uuid not null references public.organizations, id int, noise text, primary key (tenant_id, id));
    alter table public.ballast alter column noise set storage external;
    grant select on public.ballast to service_role`);
});

after(() => console_?.stop());

const settings = '/t/digital-health/settings';
const tray = (page) => page.getByRole('list', { name: 'Downloads' });

/** Where pages may write to no file: what arrives is saved like every download. */
const withoutPicker = (page) => page.evaluate(() => { window.showSaveFilePicker = undefined; });

/** The user chooses a file: one of the browser's own, since no test can use the system's window. */
const withPicker = (page) => page.evaluate(() => {
  window.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
});

/** The files the user has chosen, and what is in them. */
const chosen = (page) => page.evaluate(async () => {
  const files = {};
  for await (const [name, handle] of (await navigator.storage.getDirectory()).entries()) {
    const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    files[name] = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
  return files;
});

/** Asks for everything of the tenant that the page shows the settings of. */
async function ask(page, reason = 'moving away') {
  await page.getByRole('button', { name: 'Download…' }).click();
  const asked = page.getByRole('alertdialog');
  await asked.getByLabel('Reason').fill(reason);
  await asked.getByRole('button', { name: 'Download' }).click();
}

/** From now on the page receives as over a slow line, 600 kB a second; returns how to make it a fast one again. */
async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const receive = (downloadThroughput) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput, uploadThroughput: -1 });
  await receive(600_000);
  return () => receive(-1);
}

/** Ends what is being read of the database, so that the server cannot go on. */
const breakOff = () => vital.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%ballast%' and pid <> pg_backend_pid()");

/** Gives a tenant more than a slow line brings within the test, and what lies between can hold; and takes it away again. */
const weigh = (slug) => vital.sql(`insert into public.ballast select (select id from organizations where slug = '${slug}'), n, (select string_agg(md5(m::text), '') from generate_series(1, 32768) m) from generate_series(1, 64) n`);
const lighten = () => vital.sql('truncate public.ballast');

const post = async (path, email) => fetch(vital.url + path, { method: 'POST', headers: { Authorization: `Bearer ${await vital.token(email)}`, 'Vital-Reason': 'by hand' } });

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
    await weigh('digital-health');
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
    await lighten();
    await refused.getByRole('button', { name: 'Download' }).click();
    await tray(other).getByText(/^Complete/).waitFor();
    const [[name, bytes]] = Object.entries(await chosen(other));
    assert.match(name, /^digital-health-.*\.zip$/);
    assert.equal(openArchive(Buffer.from(bytes, 'latin1')).manifest.tenant.slug, 'digital-health');
    await assertSound(other, 'with a download that is complete, dark and small');
    assert.deepEqual([...page.faults, ...other.faults], []);
  });

  test('of which the connection or the tenant was lost is told to be incomplete, and is no file', async () => {
    await weigh('pharma');
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
    assert.equal(await breakOff(), '1');
    await fast();
    await tray(page).getByText('The connection was lost before all of it was there. What had arrived is no archive, and was thrown away. Begin again.').waitFor();
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByLabel('Email').fill(cyd);
    await page.getByLabel('Password').fill(vital.passwords[cyd]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#page h1').first().waitFor();
    assert.equal(await tray(page).count(), 0, 'who signs in next is told nothing of it');
    await lighten();
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

    while ((await post('/api/tenants/digital-health/export', ada)).ok);
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

describe('one’s own data', () => {
  test('is everybody’s to take out, three times an hour, and is nobody else’s', async () => {
    const page = await console_.signIn(ben, '/t/digital-health', { width: 390, theme: 'dark' });
    await settled(page);
    await withoutPicker(page);
    const mine = async () => {
      await page.getByRole('button', { name: 'Open the menu' }).click();
      await page.getByRole('button', { name: 'your account' }).click();
      await page.getByRole('menuitem', { name: 'Download my data' }).click();
      return page.getByRole('alertdialog', { name: 'Download my data' });
    };
    const asked = await mine();
    await assertSound(page, 'my data');
    const download = page.waitForEvent('download');
    await asked.getByRole('button', { name: 'Download' }).click();
    const { manifest, tables } = openArchive(await readFile(await (await download).path()));
    assert.equal(manifest.kind, 'person');
    assert.deepEqual(tables['public.users'].map(({ email }) => email), [ben]);
    assert.doesNotMatch(JSON.stringify(tables), /encrypted_password|ada@digital-health/);
    await tray(page).getByText(/^Complete/).waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0, 'the menu does not stay in the way');
    await assertSound(page, 'my data is there');

    while ((await post('/api/me/export', ben)).ok);
    const again = await mine();
    await again.getByRole('button', { name: 'Download' }).click();
    await again.getByText('You have taken out your data three times within the hour.').waitFor();
    await again.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(page.faults, []);
  });

  test('waits where the server sends as many archives as it may, and says how long', async () => {
    await vital.sql(`update user_tenants set role = 'owner' where user_id = (select id from users where email = '${cyd}')`);
    await Promise.all(['pharma', 'platform'].map(weigh));
    const page = await console_.signIn(cyd, '/t/pharma');
    await settled(page);
    await page.getByRole('button', { name: 'your account' }).click();
    await page.getByRole('menuitem', { name: 'Download my data' }).click();
    const asked = page.getByRole('alertdialog');
    await withPicker(page);
    const under = await Promise.all([post('/api/tenants/pharma/export', cyd), post('/api/tenants/platform/export', alex)]); // whose contents nobody takes yet
    await asked.getByRole('button', { name: 'Download' }).click();
    await asked.getByText('This server is sending as many archives as it may.').waitFor();
    await asked.getByText(/Try again in \d+ seconds\./).waitFor();
    await Promise.all(under.map((answer) => answer.body.cancel()));
    assert.deepEqual(await chosen(page), {});
  });
});
