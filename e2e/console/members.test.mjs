// Members in the console.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { agree, assertSound, settled, startConsole } from '../console.mjs';
import { ada, ben } from '../server.mjs';

let vital;
let console_;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

describe('members', () => {
  test('an admin invites somebody, changes a role and removes a member, who is told so in the page they have open', async () => {
    const [page, theirs] = await Promise.all([console_.signIn(ada, '/t/digital-health/members'), console_.signIn(ben, '/t/digital-health/members')]);
    await settled(page);
    await assertSound(page, 'members');
    await page.getByRole('button', { name: 'Invite' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Email').fill('eve@digital-health.vital.test');
    await form.getByRole('button', { name: 'Invite' }).click();
    assert.ok((await form.getByLabel('Token').inputValue()).length > 20);
    await form.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: 'eve@digital-health.vital.test' }).waitFor();

    await page.getByRole('button', { name: `Actions for ${ben}` }).click();
    await page.getByRole('menuitem', { name: 'Change role…' }).click();
    await page.getByLabel('Role', { exact: true }).last().selectOption('viewer');
    await page.getByRole('button', { name: 'Change role' }).click();
    await page.getByRole('row', { name: ben }).getByText('viewer').waitFor();
    assert.equal(await theirs.getByRole('button', { name: 'Invite' }).count(), 0, 'who is no admin is offered nothing');

    await page.getByRole('button', { name: `Actions for ${ben}` }).click();
    await page.getByRole('menuitem', { name: 'Remove…' }).click();
    await agree(page, 'Remove');
    await page.getByRole('row', { name: ben }).waitFor({ state: 'detached' });
    await theirs.getByText('There is no such tenant, or you are not a member of it.').waitFor();
    assert.deepEqual(page.faults, []);
  });
});
