// Definitions of feature flags in the console, as super admins have them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { flagAt as at, many, odd, plantFlags } from '../flags.mjs';
import { ada, alex, ben, cyd } from '../server.mjs';

let console_;

before(async () => {
  console_ = await startConsole();
  await plantFlags(console_.vital);
});

after(() => console_?.stop());

describe('definitions', () => {
  test('switched off for everybody, a flag has no value in any tenant’s open page, until it is switched on again', async () => {
    const [page, list, theirs] = await Promise.all([console_.signIn(alex, '/operator/flags/chat_streaming'), console_.signIn(cyd, '/t/pharma/flags?q=chat_streaming'), console_.signIn(ben, at('digital-health', 'chat_streaming'))]);
    await list.getByRole('link', { name: 'chat_streaming' }).waitFor();
    await theirs.getByRole('heading', { name: 'For you, here and now' }).waitFor();
    await page.getByText('overridden in 0 tenants').waitFor();
    await console_.vital.command('flags', 'set', 'chat_streaming', '--tenant', 'pharma', 'enabled=true');
    await list.getByText('override', { exact: true }).waitFor();
    await console_.go(page, '/operator/flags/chat_streaming');
    await page.getByText('overridden in 1 tenant').waitFor();
    await page.getByRole('button', { name: 'Switch off…' }).click();
    const asked = page.getByRole('alertdialog');
    await asked.getByText('the default in the application’s code holds').waitFor();
    const confirm = asked.getByRole('button', { name: 'Switch off for everybody' });
    assert.ok(await confirm.isDisabled(), 'it asks why');
    await asked.getByLabel('Reason').fill('it answers too slowly');
    await confirm.click();
    await theirs.getByText('Switched off for everybody').waitFor();
    await list.getByText('Nothing matches “chat_streaming”').waitFor();
    await page.getByRole('row', { name: '2 now' }).getByText('it answers too slowly').waitFor();

    await page.getByRole('button', { name: 'Switch on…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Switch on for everybody' }).click();
    await theirs.getByRole('heading', { name: 'For you, here and now' }).waitFor();
    await list.getByRole('link', { name: 'chat_streaming' }).waitFor();
  });

  test('a flag is made, its rule that cannot be evaluated is told of and mended, compared and rolled back', async () => {
    const page = await console_.signIn(alex, '/operator/flags');
    await settled(page);
    await assertSound(page, 'flag review');
    await page.getByRole('button', { name: 'New flag' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Key').fill('rollout/ünï');
    await form.getByLabel('Type').selectOption('string');
    await form.getByLabel('Variants', { exact: true }).fill('{"a": 1}');
    await form.getByRole('button', { name: 'Create flag' }).click();
    await form.getByText('variants.a').first().waitFor();
    await form.getByLabel('Variants', { exact: true }).fill('{"a": "A", "b": "B"}');
    await form.getByLabel('Default variant').selectOption('a');
    await form.getByRole('textbox', { name: 'Targeting rule' }).fill('{"no_such_operator": [1]}');
    await form.getByRole('button', { name: 'Create flag' }).click();
    await form.getByText('Saved as version 1, but it cannot be evaluated').waitFor();
    await form.getByText(/PARSE_ERROR: .*no_such_operator/).waitFor();
    await form.getByRole('textbox', { name: 'Targeting rule' }).fill('{"fractional": [{"var": "tenant.id"}, ["a", 1], ["b", 3]]}');
    await form.getByRole('button', { name: 'Create flag' }).click();
    await page.getByRole('heading', { level: 1, name: 'rollout/ünï' }).waitFor();
    await page.getByRole('img', { name: 'a 25%, b 75%' }).waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    await form.getByLabel('Default variant').selectOption('b');
    await form.getByLabel('Owner').fill('Growth');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: '3 now' }).waitFor();
    await page.getByRole('button', { name: 'Compare versions' }).click();
    await form.getByLabel('From').selectOption('1');
    await form.locator('del', { hasText: 'no_such_operator' }).waitFor();
    await form.locator('ins', { hasText: '"owner": "Growth"' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Actions for version 2' }).click();
    await page.getByRole('menuitem', { name: 'Back to this version…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Back to version 2' }).click();
    await page.getByRole('row', { name: '4 now' }).getByText('Back to version 2').waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await assertSound(page, 'definition, small and dark');
  });

  test('the review and all definitions are searched and filtered by the server', async () => {
    const page = await console_.signIn(alex, '/operator/flags', { width: 390, theme: 'dark' });
    await settled(page);
    const review = page.getByRole('region', { name: 'To review' });
    await review.getByLabel('Reason', { exact: true }).selectOption('no_owner');
    await review.getByRole('link', { name: odd }).waitFor();
    await review.getByLabel('Search by key or owner').fill('no such flag');
    await review.getByText('Nothing matches “no such flag”').waitFor();
    const all = page.getByRole('region', { name: 'All flags' }).first();
    await all.getByLabel('Owner', { exact: true }).selectOption('Growth');
    await all.getByLabel('Type').selectOption('number');
    await all.getByText(`1–25 of ${many / 5}`).waitFor();
    await assertSound(page, 'flag review, small and dark');
  });

  test('are no page for anybody but super admins', async () => {
    const page = await console_.signIn(ada, '/operator/flags/chat_streaming');
    await page.getByText('There is no such page').waitFor();
    assert.equal(await page.getByText('chat_streaming').count(), 0);
  });
});
