// What is kept of a tenant, in the console: its tools, and the log of what was changed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { ada, alex, ben, cyd } from '../server.mjs';

let vital;
let console_;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

const sql = (text) => vital.sql(text);

/** What only a superuser can do who turns triggers off. */
const tamper = (text) => sql(`set session_replication_role = replica; ${text}`);

const audit = '/t/digital-health/audit';
const rowOf = (page, seq) => page.getByRole('row').filter({ has: page.getByRole('button', { name: new RegExp(`details of row ${seq}$`) }) });

describe('tools', () => {
  test('a member registers a tool, sees how it fares, and deprecates it for another; another tenant sees none of it', async () => {
    const [page, theirs] = await Promise.all([console_.signIn(ben, '/t/digital-health/tools'), console_.signIn(cyd, '/t/pharma/tools', { width: 390, theme: 'dark' })]);
    await Promise.all([settled(page), settled(theirs)]);
    for (const name of ['Old search', 'New search']) {
      await page.getByRole('button', { name: 'Register tool' }).first().click();
      const form = page.getByRole('dialog');
      await form.getByLabel('Name').fill(name);
      await form.getByLabel('Category').fill('search');
      await form.getByLabel('Input schema').fill('{"type": ');
      await form.getByRole('button', { name: 'Register' }).click();
      await form.getByText('This is no JSON.').waitFor();
      await form.getByLabel('Input schema').fill('{"type": "object"}');
      await form.getByRole('button', { name: 'Register' }).click();
      await page.getByRole('button', { name, exact: true }).waitFor();
    }
    const own = await vital.as(ben);
    const { data: [tool] } = await own.from('tools').select('id').eq('slug', 'old-search');
    for (const success of [true, false, false]) assert.equal((await own.rpc('record_tool_usage', { p_tool_id: tool.id, p_success: success, p_execution_time_ms: 40 })).error, null);
    await page.reload();
    const row = page.getByRole('row', { name: 'Old search' });
    await row.getByText('Unhealthy').waitFor();
    assert.match(await row.innerText(), /3\s+33\.3 %\s+40 ms/);

    await page.getByLabel('Health').selectOption('UNUSED');
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'New search', exact: true }).waitFor();
    await page.getByLabel('Health').selectOption('');

    await page.getByRole('button', { name: 'Actions for Old search' }).click();
    await page.getByRole('menuitem', { name: 'Deprecate…' }).click();
    const ask = page.getByRole('alertdialog');
    assert.ok(await ask.getByRole('button', { name: 'Deprecate' }).isDisabled(), 'a reason is asked for');
    await ask.getByLabel('Reason').fill('too slow');
    await ask.getByRole('combobox', { name: 'Replacement' }).selectOption({ label: 'New search' });
    await ask.getByRole('button', { name: 'Deprecate' }).click();
    await row.getByText('too slow · use New search').waitFor();
    await row.getByRole('button', { name: 'Old search', exact: true }).click();
    await page.getByRole('dialog').getByText('Use New search instead.').waitFor();
    await page.keyboard.press('Escape');
    await assertSound(page, 'tools');

    await theirs.reload();
    await settled(theirs);
    assert.equal(await theirs.getByText('Old search').count(), 0);
    await assertSound(theirs, 'tools, dark and small');
  });
});

describe('the audit log', () => {
  test('is narrowed by action and by actor, shows what was changed, and is for admins alone', async () => {
    const [page, members] = await Promise.all([console_.signIn(ada, audit), console_.signIn(ben, audit)]);
    await settled(page);
    await page.getByLabel('Action').fill('updated');
    await page.waitForFunction(() => document.querySelectorAll('#page tbody tr').length === 1);
    await page.getByRole('row').getByText('too slow').waitFor();
    await page.getByRole('button', { name: /^tools.*details of row/ }).click();
    const details = page.getByRole('dialog');
    assert.match(await details.innerText(), /deprecated\s+−\s*Before:\s*false\s+\+\s*After:\s*true/);
    await page.keyboard.press('Escape');
    await page.getByLabel('Actor').fill('ada@');
    await page.getByText('Nothing in the log is like that').waitFor();
    await page.getByLabel('Actor').fill('ben@digital');
    await page.getByRole('row').getByText('too slow').waitFor();
    await page.getByLabel('Until').fill('2020-01-01');
    await page.getByText('Nothing in the log is like that').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByText(/The head in the database, row \d+, is the hash of the last/).waitFor();
    await assertSound(page, 'audit');

    await members.getByRole('heading', { name: 'Not found' }).waitFor();
    assert.equal(await members.getByRole('link', { name: 'Audit log' }).count(), 0);
    assert.deepEqual((await (await vital.as(ben)).rpc('audit_chain_head')).data, []);
  });

  test('never has another tenant’s entries', async () => {
    const pharma = await sql("select id from organizations where slug = 'pharma'");
    // Who acts for the platform sees of a tenant what its admins see.
    const [other, operator] = await Promise.all([console_.signIn(cyd, '/t/pharma/audit', { width: 390, theme: 'dark' }), console_.signIn(alex, '/t/pharma/audit')]);
    await Promise.all([settled(other), settled(operator)]);
    await other.getByText(/The head in the database, row \d+, is the hash of the last/).waitFor();
    assert.equal(await other.getByText('too slow').count(), 0);
    await assertSound(other, 'audit, dark and small');
    const { data } = await (await vital.as(ada)).from('organization_audit_log').select('organization_id').eq('organization_id', pharma);
    assert.deepEqual(data, []);
    assert.equal(await operator.locator('#page tbody tr').count(), await other.locator('#page tbody tr').count());
  });

  test('tells a row that was tampered with behind the triggers, what follows it, and rows that are gone', async () => {
    const page = await console_.signIn(ada, audit);
    await settled(page);
    await page.getByRole('button', { name: 'Verify all' }).click();
    await page.getByText(/The whole chain is as it was written\. Rows 1 to \d+ were checked/).waitFor();

    await tamper("update organization_audit_log set reason = 'somebody else' where reason = 'too slow'");
    const seq = Number(await sql("select seq from organization_audit_log where reason = 'somebody else'"));
    await sql("update tools set description = 'later' where slug = 'new-search'");
    await page.reload();
    await rowOf(page, seq).getByText('Broken').waitFor();
    await rowOf(page, seq + 1).getByText('After a break').waitFor();
    await rowOf(page, seq - 1).getByText('Verified').waitFor();
    await page.getByText(`The chain is broken at row ${seq}.`).waitFor();
    await assertSound(page, 'audit, broken');

    await tamper("delete from organization_audit_log where seq in (4, 5) and organization_id = (select id from organizations where slug = 'digital-health')");
    await page.getByRole('button', { name: 'Verify all' }).click();
    const findings = page.getByRole('region', { name: 'Findings' });
    await findings.getByText('Rows 4 to 5 are missing.').waitFor();
    await findings.getByText('Changes or reason were edited').waitFor();
    assert.equal(await findings.locator('tbody tr').count(), 2);
    await page.getByText('The chain is broken at row 4.').waitFor();
  });
});
