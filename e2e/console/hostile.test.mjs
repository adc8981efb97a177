// What tenants and their users wrote, as hostile as the database takes it: no page runs it, leaves its place for it, or breaks.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { settled, startConsole } from '../console.mjs';
import { ada, alex, ben } from '../server.mjs';

const markup = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`;
const texts = { markup, turned: 'gnp.\u202Etxt\u2066evil', prototype: '__proto__', script: 'javascript:window.pwned=1', long: 'long'.repeat(2500) };
const keys = [markup, 'javascript:window.pwned=1', '..', 'a/b?c=d#e', '%2e%2e%2f', 'constructor', 'long'.repeat(200), '\u202Eturned'];

let console_;
let vital;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
  for (const statement of plant()) await vital.sql(statement); // together they are too long for one argument
});

after(() => console_?.stop());

const quoted = (text) => `$q$${text}$q$`;
const json = (value) => quoted(`{"__proto__": {"pwned": 1}, "constructor": {"prototype": {"pwned": 1}}, "toString": ${JSON.stringify(value)}, "href": "javascript:window.pwned=1"}`);

/** The statements that write all that into a tenant. */
function plant() {
  const tenant = "(select id from public.organizations where slug = 'digital-health')";
  const each = (make) => Object.entries(texts).map(([name, text], at) => make(name, quoted(text), json(text), at));
  return [
    ...each((name, text, config, at) => `insert into public.agents (tenant_id, name, slug, description, status, metadata) values (${tenant}, ${text}, 'agent-${name}', ${text}, 'active', ${config})`),
    ...each((name, text, config) => `insert into public.tools (tenant_id, name, slug, description, tool_type, category, config, deprecated, deprecated_at, deprecated_reason) values (${tenant}, ${text}, 'tool-${name}', ${text}, ${text}, ${text}, ${config}, true, now(), ${text})`),
    ...each((name, text, config, at) => `insert into public.tenant_apps (tenant_id, app_key, app_name, app_route, app_icon, config, display_order) values (${tenant}, 'app-${name}', ${text}, '//evil.test/' || ${text}, ${text}, ${config}, ${at + 50})`),
    ...keys.map((key) => `insert into public.feature_flags (flag_key, name, description, flag_type, default_enabled, variants, metadata) values (${quoted(key)}, ${quoted(key)}, ${quoted(markup)}, 'object', true, jsonb_build_object('__proto__', ${json(markup)}::jsonb, 'constructor', ${json(markup)}::jsonb), ${json(markup)})`),
    `update public.tenant_configurations set ui_config = ui_config || '{"logo_url": "https://evil.test/logo.png", "primary_color": "#123456"}' || jsonb_build_object('custom', ${json(markup)}::jsonb) where tenant_id = ${tenant}`,
    `update public.organizations set name = left(${quoted(markup + '\u202Eeman')}, 255) where id = ${tenant}`,
    `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', ${quoted(markup)}) where email = '${ben}'`,
    `update public.profiles set full_name = ${quoted(markup)} where email = '${ben}'`,
    `insert into vital.check_runs (check_name, status, findings, details, duration_ms) values ('rls', 'findings', 1, jsonb_build_array(jsonb_build_object('check', ${quoted(markup)}, 'object', ${quoted(texts.long)}, 'detail', ${quoted(markup)})), 5)`,
    ...each((_name, text) => `insert into public.query_performance (tenant_id, query_name, query_type, error_code, error_message, success, execution_time_ms) values (${tenant}, ${text}, ${text}, ${text}, ${text}, false, 5)`),
  ];
}

/** Goes through pages, and holds each to having neither run nor followed what it shows. */
async function walk(page, paths) {
  for (const path of paths) {
    const address = `${vital.url}/console${path}`;
    await page.goto(address);
    await settled(page).catch((error) => { throw new Error(`${path} shows nothing`, { cause: error }); });
    const { pwned, polluted, links, width, screen } = await page.evaluate(() => ({
      pwned: window.pwned, polluted: {}.pwned,
      links: [...document.querySelectorAll('a[href], [src]')].map((e) => e.href || e.src).filter((to) => !to.startsWith(`${location.origin}/console/`) && !to.startsWith(`${location.origin}/docs`)),
      width: document.documentElement.scrollWidth, screen: document.documentElement.clientWidth,
    }));
    assert.equal(pwned, undefined, `${path} ran what it shows`);
    assert.equal(polluted, undefined, `${path} took a prototype from what it shows`);
    assert.deepEqual(links, [], `${path} leads elsewhere`);
    assert.ok(width <= screen, `${path.slice(0, 60)}: ${width} px wide on a screen of ${screen}`);
    assert.equal(await page.getByRole('heading', { name: 'Something went wrong' }).count(), 0, `${path} broke`);
    assert.deepEqual(page.faults, [], path);
  }
}

describe('hostile content', () => {
  test('is text on the pages of its tenant', async () => {
    const page = await console_.signIn(ada, '/t/digital-health');
    const pages = ['', '/members', '/apps', '/flags', '/agents', '/tools', '/settings', '/audit', '/performance', ...keys.map((key) => `/flags/${encodeURIComponent(key)}`)];
    await walk(page, pages.map((path) => `/t/digital-health${path}`));
  });

  test('is text on the pages of operators', async () => {
    const page = await console_.signIn(alex, '/operator/tenants');
    await walk(page, ['tenants', 'tenants/digital-health', 'load', 'isolation', 'checks', 'cache', 'flags', 'jobs', 'report', ...keys.map((key) => `flags/${encodeURIComponent(key)}`)].map((path) => `/operator/${path}`));
  });

  test('in an address of the console is looked for, and nothing else', async () => {
    const page = await console_.signIn(ada, '/t/digital-health');
    page.setDefaultTimeout(20_000);
    for (const path of [`/t/digital-health/flags?q=${encodeURIComponent(markup)}&sort=__proto__.asc`, '/t/digital-health/members?page=-1e99&sort=constructor.desc', '/t/digital-health/audit?constructor=1&__proto__=2', `/t/${encodeURIComponent(markup)}`, '/t/..%2f..%2fv1', '//evil.test', '/t//evil.test']) {
      await page.goto(`${vital.url}/console${path}`);
      await page.locator('main').first().waitFor().catch((error) => { throw new Error(`${path} shows nothing`, { cause: error }); });
      assert.equal(await page.evaluate(() => window.pwned), undefined, path);
      assert.equal(new URL(page.url()).origin, vital.url, path);
      assert.deepEqual(page.faults, [], path);
    }
  });
});
