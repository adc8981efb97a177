// What is stored of oneself, taken out by everybody.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openArchive } from '../archive.mjs';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ballast, chosen, exhaust, poster, tray, withoutPicker, withPicker } from '../downloads.mjs';
import { alex, ben, cyd } from '../server.mjs';

let vital;
let console_;
let weight;
let post;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  [weight, post] = [ballast(vital), poster(vital)];
});

after(() => console_?.stop());

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

    await exhaust(post, '/api/me/export', ben);
    const again = await mine();
    await again.getByRole('button', { name: 'Download' }).click();
    await again.getByText('You have taken out your data three times within the hour.').waitFor();
    await again.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(page.faults, []);
  });

  test('waits where the server sends as many archives as it may, and says how long', async () => {
    await vital.sql(`update user_tenants set role = 'owner' where user_id = (select id from users where email = '${cyd}')`);
    await weight.make();
    await Promise.all(['pharma', 'platform'].map(weight.load));
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
