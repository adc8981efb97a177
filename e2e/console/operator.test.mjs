// What operators read of the server: checks, jobs, the weekly report.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { alex } from '../server.mjs';

let vital;
let console_;
let page; // an operator's

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  page = await console_.signIn(alex, '/operator/checks');
});

after(() => console_?.stop());

describe('checks and jobs', () => {
  test('a table without row-level security is found by the check that is run now, and shown', async () => {
    await vital.sql('create table public.leaky (tenant_id uuid, note text); grant select on public.leaky to authenticated');
    await console_.go(page, '/operator/checks');
    await page.getByRole('button', { name: /^Run now.*Row-level security/ }).click();
    await page.getByText('Row-level security was checked').first().waitFor();
    await page.getByRole('button', { name: /^What was found.*Row-level security/ }).click();
    const found = page.getByRole('dialog');
    await found.getByText('public.leaky').first().waitFor();
    await assertSound(page, 'findings');
    await page.keyboard.press('Escape');
    await page.getByLabel('Outcome').selectOption('findings');
    await page.getByRole('cell', { name: /finding/ }).first().waitFor();
    await page.getByLabel('Check', { exact: true }).selectOption('data');
    await page.getByText('No such run').waitFor();

    await vital.sql('drop table public.leaky');
    await page.getByRole('button', { name: /^Run now.*Row-level security/ }).click();
    await page.getByRole('button', { name: /^What was found.*Row-level security/ }).waitFor({ state: 'detached' });
    await console_.assertSoundEverywhere(page, '/operator/checks', 'checks');
  });

  test('why a job failed is shown, and only where it is looked for', async () => {
    await vital.sql(`insert into vital.river_job (kind, args, max_attempts, state, attempt, errors, attempted_at, finalized_at)
      values ('week_report', '{"secret": "of a tenant"}', 1, 'discarded', 1, array['{"attempt": 1, "error": "read the days: connection refused\\nsecond line"}'::jsonb], now(), now())`);
    await console_.assertSoundEverywhere(page, '/operator/jobs', 'jobs');
    await page.getByRole('button', { name: /^Discarded/ }).click();
    const row = page.getByRole('row', { name: /week_report/ });
    await row.getByRole('button', { name: 'read the days: connection refused' }).click();
    await page.getByRole('dialog').getByText('second line').waitFor();
    await assertSound(page, 'why a job failed');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByText('of a tenant').count(), 0, 'what it was told is nobody\'s to read');
    await page.getByLabel('Kind', { exact: true }).selectOption('flag_changes_apply');
    await page.getByText('No such job').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('row', { name: /flag_changes_apply/ }).first().waitFor();
    assert.deepEqual(page.faults, []);
  });
});

describe('the weekly report', () => {
  const downloaded = async () => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'JSON' }).click();
    return (await download).suggestedFilename();
  };

  test('is there of this week so far from the first minute, marked so, and gates are measured with it', async () => {
    await console_.go(page, '/operator/report?tab=gates');
    await assertSound(page, 'no gates yet');
    await page.getByText('No gate has been measured yet').waitFor();
    await page.getByRole('button', { name: 'Measure them now' }).waitFor();
    await console_.go(page, '/operator/report');
    await assertSound(page, 'no report yet');
    await page.getByText('There is no report yet').waitFor();
    await page.getByRole('button', { name: 'Make that of this week so far' }).click();
    await page.getByText('The report of this week so far was made').first().waitFor();
    const week = await vital.sql('select week from vital.weekly_reports where not is_over');
    const heading = page.getByRole('heading', { name: new RegExp(`${week}.*This week so far, as of`) });
    await heading.waitFor();
    await page.getByRole('cell', { name: `${week} so far`, exact: true }).waitFor();
    assert.equal(await downloaded(), `weekly-report-${week}-so-far.json`);
    await console_.assertSoundEverywhere(page, '/operator/report', 'a week so far');

    await vital.sql("update vital.weekly_reports set made_at = now() - interval '3 hours'");
    await console_.go(page, '/operator/report?tab=gates');
    await page.getByText('This week so far, as of 3 hours ago').waitFor();
    await page.getByRole('row', { name: /rls_tables/ }).getByText('pass').waitFor();
    await page.getByRole('button', { name: 'Make now' }).click();
    await page.getByText(/This week so far, as of (now|\d+ seconds? ago)/).waitFor();
  });

  test('of last week is made where it is missing, shown, and stays; signatures are shown with the gates', async () => {
    await vital.sql("update vital.migrations set tstamp = tstamp - interval '14 days'");
    await console_.go(page, '/operator/report');
    await page.getByRole('button', { name: 'Make now' }).click();
    await page.getByText('The report of this week so far was made').first().waitFor();
    const week = await vital.sql('select week from vital.weekly_reports where is_over');
    await page.getByRole('button', { name: `Show the report of ${week}` }).click();
    await page.getByRole('heading', { name: new RegExp(week) }).waitFor();
    assert.equal(await page.getByText('This week so far, as of').count(), 0, 'a week that is over is not marked');
    await page.getByRole('heading', { name: 'Risks and mitigation' }).waitFor();
    await page.getByRole('cell', { name: week, exact: true }).waitFor();
    assert.equal(await downloaded(), `weekly-report-${week}.json`);
    await assertSound(page, 'report');
    await page.getByRole('button', { name: 'Make now' }).click();
    await page.getByText('This week so far, as of').waitFor();

    await vital.sql("insert into vital.gate_approvals (gate, approved, approved_by, note) values ('week1_backup', true, 'Grace', 'restored on Monday')");
    await console_.assertSoundEverywhere(page, '/operator/report?tab=gates', 'gates');
    const signed = page.getByRole('row', { name: /week1_backup/ });
    await signed.getByText('pass').waitFor();
    await signed.getByText('Grace').last().waitFor();
    await page.getByRole('row', { name: /week1_data_fixes/ }).getByText('to be signed').waitFor();
    await page.getByRole('row', { name: /context_within_1s/ }).getByText('≥ 100').last().waitFor();
    assert.deepEqual(page.faults, []);
  });
});
