// A real browser on a page of another origin, with the supabase-js bundle as npm ships it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { ada, ben, dana, up } from './server.mjs';

const files = {
  '/': ['text/html; charset=utf-8', await readFile(new URL('page.html', import.meta.url))],
  '/supabase.js': ['text/javascript', await readFile(new URL('node_modules/@supabase/supabase-js/dist/umd/supabase.js', import.meta.url))],
};

let allowed; // the application's web server: an origin that may call
let foreign; // somebody else's
let vital;
let browser;

before(async () => {
  [allowed, foreign] = await Promise.all([webServer(), webServer()]);
  vital = await up({ VITAL_CORS_ORIGINS: allowed.origin });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  allowed?.server.close();
  foreign?.server.close();
  await vital?.stop();
});

async function webServer() {
  const server = createServer((request, response) => {
    const file = files[new URL(request.url, 'http://page').pathname];
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': file[0] }).end(file[1]);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** Opens the application from an origin, with a key, in a browser that remembers nothing. */
async function open(origin = allowed.origin, key = vital.anonKey) {
  const context = await browser.newContext();
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  page.failures = [];
  page.on('pageerror', (error) => page.failures.push(error.message));
  await page.goto(address(origin, key));
  return page;
}

const address = (origin, key = vital.anonKey) => `${origin}/?${new URLSearchParams({ url: vital.url, key })}`;

async function signIn(page, email, password = vital.passwords[email]) {
  await page.fill('#sign-in [name=email]', email);
  await page.fill('#sign-in [name=password]', password);
  await page.click('#sign-in button');
}

const shown = (page) => page.locator('#agents li').allTextContents();

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

describe('a page of an allowed origin', () => {
  test('signs in, reads, adds, counts, stays signed in, and signs out', async () => {
    const page = await open();
    await signIn(page, ada);
    await page.waitForSelector('#agents li');
    assert.equal(await page.textContent('#who'), 'Ada Ames');
    assert.equal(await page.textContent('#tenant'), 'Digital Health');
    assert.deepEqual(await shown(page), ['Helper', 'Trial matcher']);
    assert.equal(await page.textContent('#count'), '2 agents');

    await page.fill('#add [name=name]', 'Appointment keeper');
    await page.click('#add button');
    await page.waitForSelector('text=3 agents');
    assert.deepEqual(await shown(page), ['Appointment keeper', 'Helper', 'Trial matcher']);

    await page.reload();
    await page.waitForSelector('text=3 agents');

    await page.click('#sign-out');
    await page.waitForSelector('#sign-in:not([hidden])');
    assert.deepEqual(await shown(page), []);
    assert.equal(await page.evaluate(() => Object.keys(localStorage).length), 0);
    assert.deepEqual(page.failures, []);
  });

  test('reads the headers it needs', async () => {
    const page = await open();
    await signIn(page, ben);
    await page.waitForSelector('#agents li');
    const headers = await page.evaluate(async ({ url, key }) => {
      const { data: { session } } = await client.auth.getSession();
      const response = await fetch(`${url}/rest/v1/agents?select=name&limit=1`, {
        headers: { apikey: key, authorization: `Bearer ${session.access_token}`, prefer: 'count=exact' },
      });
      return { status: response.status, ...Object.fromEntries(response.headers) };
    }, { url: vital.url, key: vital.anonKey });
    assert.equal(headers.status, 206);
    assert.match(headers['content-range'], /^0-0\/[23]$/);
    assert.equal(headers['preference-applied'], 'count=exact');
    assert.ok(headers['x-request-id'] && headers['server-timing']);
  });

  test('writes, embeds, calls and reads errors as any client', async () => {
    const page = await open();
    await signIn(page, ada);
    await page.waitForSelector('#agents li');
    const seen = await page.evaluate(async () => {
      const { data: tenant_id } = await client.rpc('get_user_tenant_id');
      const made = await client.from('prompts').insert({ tenant_id, title: 'From a page' }).select('id, title, organizations(slug)').single();
      const updated = await client.from('prompts').update({ title: 'Changed' }).eq('id', made.data.id).select('title').single();
      const upserted = await client.from('prompts').upsert({ tenant_id, id: made.data.id, title: 'Again' }).select('title').single();
      const count = await client.from('prompts').select('*', { count: 'exact', head: true }).eq('id', made.data.id);
      const deleted = await client.from('prompts').delete().eq('id', made.data.id).select('title');
      const unknown = await client.from('prompts').select('nope');
      const many = await client.from('prompts').select('id').in('id', Array.from({ length: 500 }, () => crypto.randomUUID()));
      const other = await client.from('prompts').insert({ tenant_id: crypto.randomUUID(), title: 'x' });
      const claims = await client.auth.getClaims();
      return {
        made: made.data, updated: updated.data, upserted: upserted.data, count: count.count, deleted: deleted.data,
        unknown: unknown.error.code, many: [many.data, many.error], other: other.error.code, claims: claims.data.claims.email,
      };
    });
    assert.equal(seen.made.organizations.slug, 'digital-health');
    assert.deepEqual([seen.updated, seen.upserted, seen.count, seen.deleted], [{ title: 'Changed' }, { title: 'Again' }, 1, [{ title: 'Again' }]]);
    assert.deepEqual([seen.unknown, seen.many, seen.other, seen.claims], ['42703', [[], null], '42501', ada]);
  });

  test('shows why a sign-in failed', async () => {
    const page = await open();
    await signIn(page, ada, 'not the password');
    await page.waitForSelector('text=invalid_credentials: Invalid login credentials');
    assert.equal(await page.isVisible('#signed-in'), false);
  });

  test('switches tenants with a header', async () => {
    const page = await open();
    await signIn(page, dana);
    await page.waitForSelector('#agents li');
    assert.deepEqual(await shown(page), ['Helper', 'Label checker']);
    const names = await page.evaluate(async () => (await client.from('agents').select('name').eq('slug', 'trial-matcher').setHeader('Vital-Tenant', 'digital-health')).data);
    assert.deepEqual(names, [{ name: 'Trial matcher' }]);
  });

  test('a link for a forgotten password leads back to the page, signed in', async () => {
    const page = await open();
    const { error } = await page.evaluate(({ email, redirectTo }) => client.auth.resetPasswordForEmail(email, { redirectTo }), { email: ben, redirectTo: address(allowed.origin) });
    assert.equal(error, null);
    const { link } = await vital.logLine(`"to":"${ben}"`);
    await page.goto(link);
    await page.waitForSelector('#agents li');
    assert.equal(await page.textContent('#who'), 'Ben Boyd');
    assert.ok(page.url().startsWith(allowed.origin));
    assert.ok(!page.url().includes('access_token'), 'the session does not stay in the address');
    assert.ok((await page.evaluate(() => events)).includes('PASSWORD_RECOVERY'));
    assert.equal((await page.evaluate(async () => (await client.auth.updateUser({ password: 'chosen in the browser' })).error)), null);
    vital.passwords[ben] = 'chosen in the browser';
    await page.click('#sign-out');
    await signIn(page, ben);
    await page.waitForSelector('#agents li');
  });

  test('a service key is refused, and the page is told why', async () => {
    const page = await open(allowed.origin, vital.serviceKey);
    const { rows, made, users } = await page.evaluate(async () => ({
      rows: await client.from('organizations').select(),
      made: await client.from('organizations').insert({ name: 'x', slug: 'x', tenant_type: 'x', tenant_key: 'x' }),
      users: await client.auth.admin.listUsers(),
    }));
    assert.deepEqual([rows.data, rows.error.code], [null, 'origin_not_allowed']);
    assert.match(rows.error.hint, /revoke the key/);
    assert.equal(made.error.code, 'origin_not_allowed');
    assert.ok(users.error);
    assert.equal((await vital.asService().from('organizations').select('*', { count: 'exact', head: true })).count, 3);
  });
});

describe('a page of another origin', () => {
  test('the browser refuses to sign in, to read and to write', async () => {
    const page = await open(foreign.origin);
    const token = await vital.token(ada);
    const before = (await vital.asService().from('prompts').select('*', { count: 'exact', head: true })).count;
    const seen = await page.evaluate(async ({ url, key, token, email, password }) => {
      const attempt = (...request) => fetch(...request).then((response) => `answered ${response.status}`, (error) => String(error));
      const headers = { apikey: key, authorization: `Bearer ${token}` };
      const signedIn = await client.auth.signInWithPassword({ email, password });
      return {
        signedIn: [signedIn.data.session, signedIn.error.name],
        rows: await attempt(`${url}/rest/v1/agents`, { headers }),
        write: await attempt(`${url}/rest/v1/prompts`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"title":"x"}' }),
        context: await attempt(`${url}/v1/context`, { headers }),
        // Without a preflight: a plain request carries nobody's token, and its answer is kept from the page.
        plain: await attempt(`${url}/rest/v1/agents`),
        form: await attempt(`${url}/rest/v1/prompts`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"title":"x"}' }),
        token: await attempt(`${url}/auth/v1/token?grant_type=password`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify({ email, password }) }),
        opaque: await fetch(`${url}/v1/context`, { mode: 'no-cors' }).then(async (response) => `${response.type} ${(await response.text()).length}`),
      };
    }, { url: vital.url, key: vital.anonKey, token, email: ada, password: vital.passwords[ada] });
    assert.deepEqual(seen.signedIn, [null, 'AuthRetryableFetchError']);
    for (const what of ['rows', 'write', 'context', 'plain', 'form', 'token']) assert.equal(seen[what], 'TypeError: Failed to fetch', what);
    assert.equal(seen.opaque, 'opaque 0');
    assert.equal((await vital.asService().from('prompts').select('*', { count: 'exact', head: true })).count, before);
  });

  test('the client of the page sees nothing', async () => {
    const page = await open(foreign.origin);
    await signIn(page, ada);
    await page.waitForSelector('text=AuthRetryableFetchError');
    assert.equal(await page.isVisible('#signed-in'), false);
  });
});
