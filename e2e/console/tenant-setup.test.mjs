// What a tenant is set up with, in the console: its agents and its settings.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, row, startConsole, toast } from '../console.mjs';
import { ada, ben, cyd } from '../server.mjs';

let vital;
let console_;
const dark = { width: 390, theme: 'dark' };

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

describe('agents', () => {
  test('an agent is assigned and taken away; one too many and one of a tier that is not enabled are refused by what the server says', async () => {
    const page = await console_.signIn(cyd, '/t/pharma/agents');
    await page.getByRole('button', { name: 'Assign Helper' }).click();
    await row(page, 'Assigned agents', /Helper/).waitFor();
    await row(page, 'Available agents', /Helper/).waitFor({ state: 'detached' });

    await console_.go(page, '/t/pharma/settings');
    await page.getByLabel('Agents assigned').fill('1');
    await page.getByRole('checkbox', { name: 'Tier 2' }).uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'The settings were saved');
    await page.getByRole('link', { name: 'Agents', exact: true }).click();
    await page.getByRole('button', { name: 'Assign Label checker' }).click();
    const refused = page.getByRole('dialog', { name: 'Label checker was not assigned' });
    await refused.getByText('Agents of tier 2 are not enabled for this tenant.').waitFor();
    await refused.getByRole('link', { name: 'To the settings' }).click();
    await page.getByRole('checkbox', { name: 'Tier 2' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'The settings were saved');
    await console_.go(page, '/t/pharma/agents');
    await page.getByRole('button', { name: 'Assign Label checker' }).click();
    await refused.getByText('The limit max_agents of this tenant is 1, and it has 1.').waitFor();
    await refused.getByText('Remove something, or have an admin raise the limit').waitFor();
    await refused.getByRole('button', { name: 'Close' }).first().click();

    await page.getByRole('switch', { name: 'Helper is on' }).click();
    await toast(page, 'Helper is off');
    await page.getByRole('button', { name: 'Unassign Helper' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Unassign' }).click();
    await page.getByText('No agent is assigned').waitFor();
    await assertSound(page, 'agents');
  });

  test('a member makes an agent of the tenant and retires it, and assigns none; as a viewer they do neither', async () => {
    const page = await console_.signIn(ben, '/t/digital-health/agents', dark);
    await row(page, 'Available agents', /Trial matcher/).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Assign/ }).count(), 0);
    await page.getByRole('button', { name: 'New agent' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name', { exact: true }).fill('Visit planner');
    await form.getByLabel('Key').fill('visit-planner');
    await form.getByLabel('Status').selectOption('active');
    await form.getByRole('button', { name: 'Create' }).click();
    await row(page, 'Available agents', /Visit planner/).waitFor();
    await page.getByRole('button', { name: 'Actions for Visit planner' }).click();
    await page.getByRole('menuitem', { name: 'Retire…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Retire' }).click();
    await row(page, 'Own agents', /Visit planner/).getByText('retired').waitFor();
    await row(page, 'Available agents', /Visit planner/).waitFor({ state: 'detached' });
    await assertSound(page, 'agents of a member');

    const admin = await vital.as(ada);
    const { data: { id } } = await admin.from('users').select('id').eq('email', ben).single();
    await admin.rpc('change_member_role', { p_user_id: id, p_role: 'viewer' });
    await page.getByRole('button', { name: 'New agent' }).waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('button', { name: 'Actions for Visit planner' }).count(), 0, 'a viewer reads');
  });
});

describe('settings', () => {
  test('of two admins who change them at once the second is told what the first did, and both changes stand', async () => {
    const [first, second] = await Promise.all([console_.signIn(ada, '/t/digital-health/settings'), console_.signIn(ada, '/t/digital-health/settings')]);
    await second.getByLabel('Theme').fill('calm');
    await second.getByLabel('Primary colour').fill('#112233');
    await first.getByLabel('Primary colour').fill('#0F766E');
    await first.getByRole('button', { name: 'Save' }).click();
    await second.getByText('Somebody else changed the configuration while you were editing').waitFor();
    await second.getByText('Primary colour: was #4F46E5, is now #0F766E; yours is #112233').waitFor();
    assert.ok(await second.getByRole('button', { name: 'Save' }).isDisabled());
    await assertSound(second, 'settings with a conflict');
    await second.getByRole('button', { name: 'Take theirs' }).click();
    await second.getByRole('button', { name: 'Keep my changes on top' }).click();
    await second.getByLabel('Reason').fill('calmer');
    await second.getByRole('button', { name: 'Save' }).click();
    await first.waitForFunction(() => [...document.querySelectorAll('input')].some((input) => input.value === 'calm'));
    const { theme, primary_color: colour } = (await console_.configuration(ada)).ui_config;
    assert.deepEqual({ theme, colour }, { theme: 'calm', colour: '#0F766E' });
  });

  test('who has heard of nothing is told when they save, and loses nothing', async () => {
    const page = await console_.open('/t/digital-health/settings');
    await page.route('**/v1/context/events', (route) => route.abort());
    await page.getByLabel('Email').fill(ada);
    await page.getByLabel('Password').fill(vital.passwords[ada]);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Conversations').fill('77');
    const other = await (await vital.as(ada)).from('tenant_configurations').update({ enabled_features: ['beta'] }).neq('tenant_id', '00000000-0000-0000-0000-000000000001').select();
    assert.equal(other.data.length, 1);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Enabled features: was nothing, is now beta').waitFor();
    assert.equal(await page.getByLabel('Conversations').inputValue(), '77');
    assert.equal((await console_.configuration(ada)).limits.max_conversations, 1000, 'nothing was overwritten');
  });

  test('what is wrong is said at its field; what was not saved is not left behind unasked', async () => {
    const page = await console_.signIn(ada, '/t/digital-health/settings', dark);
    await page.getByLabel('Agents assigned').fill('-3');
    await page.getByLabel('Logo').fill('javascript:alert(1)');
    await page.getByLabel('Further limits').fill('[1]');
    await page.getByText('Must be one JSON object').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled(), 'what cannot be sent is not');
    await page.getByLabel('Further limits').fill('{"seats": 5}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('must be at least 0').waitFor();
    assert.equal(await page.getByLabel('Agents assigned').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.getByLabel('Logo').getAttribute('aria-invalid'), 'true');
    await assertSound(page, 'settings with faults');
    await page.getByLabel('Agents assigned').fill('30');
    assert.equal(await page.getByText('must be at least 0').count(), 0);

    await page.getByRole('link', { name: 'Choose them on their page' }).click();
    const asked = page.getByRole('alertdialog', { name: 'Leave without saving?' });
    await asked.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.getByLabel('Agents assigned').inputValue(), '30');
    await page.getByLabel('Logo').fill('/logo.svg');
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'The settings were saved');
    const { limits, ui_config: look } = await console_.configuration(ada);
    assert.deepEqual([limits.max_agents, limits.custom, look.logo_url], [30, { seats: 5 }, '/logo.svg']);
    assert.ok(await page.getByLabel('Requests a second').isDisabled(), 'operators\' limits are theirs');
    await page.getByRole('link', { name: 'Choose them on their page' }).click();
    await page.getByRole('heading', { name: 'Apps', level: 1 }).waitFor();
  });

  test('show how long rows are kept, by rules for this tenant and for all, and no other tenant’s', async () => {
    const page = await console_.signIn(cyd, '/t/pharma/settings');
    await page.getByText('Rows are kept until somebody deletes them.').waitFor();
    const rule = (...rest) => vital.command('retention', 'set', ...rest);
    await rule('organization_audit_log', '--keep', '18 months', '--reason', 'data protection plan');
    await rule('chat_sessions', '--keep', '2 years', '--reason', 'data protection plan');
    await rule('chat_sessions', '--tenant', 'pharma', '--keep', '90 days', '--by', 'updated_at', '--reason', 'contract of 2026-03');
    await rule('tool_usage_log', '--tenant', 'digital-health', '--keep', '1 day', '--reason', 'of another tenant');
    await console_.assertSoundEverywhere(page, '/t/pharma/settings', 'retention');
    const chats = row(page, 'Retention', /chat_sessions/);
    await chats.getByText('90 days').waitFor();
    await chats.getByText('this tenant').waitFor();
    await chats.getByText('contract of 2026-03').waitFor();
    const log = row(page, 'Retention', /organization_audit_log/);
    await log.getByText('1 year 6 months').waitFor();
    await log.getByText('under HIPAA after six years at the earliest').waitFor();
    await log.getByText('all tenants').waitFor();
    assert.equal(await page.getByText('tool_usage_log').count(), 0);
    const { data, error } = await (await vital.as(ben)).rpc('list_retention');
    assert.deepEqual([data, error?.code], [null, 'permission_denied']);
  });
});
