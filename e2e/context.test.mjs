// A context and the stream of its changes, with fetch in Node and with a real browser's EventSource.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { ada, ben, cyd, dana, up } from './server.mjs';

const executablePath = [
  process.env.VITAL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));

/** An application that shows who is there and how the tenant looks, and keeps that true. */
const page = `<!doctype html><meta charset="utf-8"><title>Context</title><p id="theme"></p><script>
  const told = []; // what happened, for the test
  let etag, version;
  async function start(url, token) {
    const headers = { Authorization: 'Bearer ' + token };
    async function read(least) {
      const response = await fetch(url + '/v1/context', {
        headers: { ...headers, ...(etag && { 'If-None-Match': etag }), ...(least && { 'Vital-Min-Version': least }) }, cache: 'no-store',
      });
      told.push('read ' + response.status);
      if (response.status === 304) return;
      etag = response.headers.get('ETag');
      version = response.headers.get('Vital-Version');
      const context = await response.json();
      document.querySelector('#theme').textContent = context.config.ui_config.custom?.mark ?? 'none';
    }
    await read();
    const { url: path } = await (await fetch(url + '/v1/context/events', { method: 'POST', headers })).json();
    const source = new EventSource(url + path);
    source.addEventListener('context', (event) => { told.push('event'); read(JSON.parse(event.data).version); });
    source.addEventListener('open', () => told.push('open'));
    source.addEventListener('error', () => told.push(source.readyState === EventSource.CLOSED ? 'closed' : 'lost'));
  }
</script>`;

let vital;
let application;
let foreign;
let browser;

before(async () => {
  [application, foreign] = await Promise.all([webServer(), webServer()]);
  vital = await up({ VITAL_CORS_ORIGINS: application.origin });
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: ['--disable-gpu', '--disable-quic', '--no-first-run'] });
});

after(async () => {
  await browser?.close();
  application?.server.close();
  foreign?.server.close();
  await vital?.stop();
});

async function webServer() {
  const server = createServer((request, response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page));
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** A session of a demo user, by their password. */
async function signIn(email) {
  const { data, error } = await vital.client().auth.signInWithPassword({ email, password: vital.passwords[email] });
  assert.equal(error, null);
  return data.session.access_token;
}

const bearing = (token) => ({ Authorization: `Bearer ${token}` });

const read = (token, headers = {}) => fetch(`${vital.url}/v1/context`, { headers: { ...bearing(token), ...headers } });

/** An admin marks their tenant's configuration; returns the version of that. */
async function mark(email, text) {
  const token = await vital.token(email);
  const { organization } = await (await read(token)).json();
  const response = await fetch(`${vital.url}/api/tenants/${organization.id}/config`, {
    method: 'PATCH', headers: { ...bearing(token), 'Content-Type': 'application/json' }, body: JSON.stringify({ ui_config: { custom: { mark: text } } }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.headers.get('vital-version');
}

/** Waits until condition is true of what look returns. */
async function until(look, condition, what) {
  let seen;
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    seen = await look();
    if (condition(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${what}: ${JSON.stringify(seen)}`);
}

/** The events of a stream as they come, until it ends. */
async function* events(response) {
  let text = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      yield Object.fromEntries(text.slice(0, end).split('\n').map((line) => line.split(': ')));
    }
  }
}

describe('fetch', () => {
  test('a context is warm after the sign-in, and not sent again while it is the same', async () => {
    const token = await signIn(ben);
    await until(async () => (await read(token)).headers.get('server-timing'), (timing) => timing.includes('cache;'), 'warm');
    const first = await read(token);
    const { config } = await first.json();
    assert.ok(config.features.length > 0);
    const again = await read(token, { 'If-None-Match': first.headers.get('etag') });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
  });

  test('a write is in every read that names its version', async () => {
    const token = await vital.token(ben);
    for (let i = 0; i < 5; i++) {
      const version = await mark(ada, `fetch ${i}`);
      assert.match(version, /^\d+\.\d+\.\d+\.\d+\.[\w-]{22}$/);
      // Of ada's counters, those of the tenant and the position are ben's, too.
      const [global, tenant, , , position] = version.split('.');
      const response = await read(token, { 'Vital-Min-Version': `${global}.${tenant}.0.0.${position}` });
      assert.equal(response.status, 200);
      assert.equal((await response.json()).config.ui_config.custom.mark, `fetch ${i}`);
    }
    assert.equal((await read(token, { 'Vital-Min-Version': '0.999999.0.0' })).status, 412);
  });

  test('a stream tells of a change, resumes, and ends with the session', async () => {
    const token = await signIn(ben);
    const open = (headers = {}) => fetch(`${vital.url}/v1/context/events`, { headers: { ...bearing(token), ...headers } });
    const stream = events(await open());
    const { value: first } = await stream.next();
    assert.equal(first.event, 'context');
    await mark(ada, 'streamed');
    const { value: second } = await stream.next();
    assert.notEqual(second.id, first.id);
    const { version } = JSON.parse(second.data);
    const fresh = await read(token, { 'Vital-Min-Version': version });
    assert.equal((await fresh.json()).config.ui_config.custom.mark, 'streamed');

    const resumed = events(await open({ 'Last-Event-ID': second.id }));
    assert.equal((await resumed.next()).value.event, undefined, 'nothing new');
    await mark(cyd, 'of another tenant');
    await mark(ada, 'streamed again');
    const { value: third } = await resumed.next();
    assert.equal((await stream.next()).value.id, third.id, 'one event, and none of the other tenant');

    const ended = stream.next();
    assert.equal((await fetch(`${vital.url}/auth/v1/logout?scope=local`, { method: 'POST', headers: bearing(token) })).status, 204);
    assert.equal((await ended).done, true);
    assert.equal((await resumed.next()).done, true);
    assert.equal((await open()).status, 401);
  });
});

describe('a browser', () => {
  async function openPage(token, origin = application.origin) {
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto(origin);
    const started = tab.evaluate(([url, token]) => start(url, token), [vital.url, token]);
    return { context, tab, started, told: () => tab.evaluate(() => told), theme: () => tab.textContent('#theme') };
  }

  test('reads again when an event says so, and only then', async () => {
    await mark(ada, 'before');
    const one = await openPage(await signIn(dana), application.origin);
    const other = await openPage(await signIn(ben), application.origin);
    await Promise.all([one.started, other.started]);
    await until(other.told, (told) => told.includes('open'), 'the stream opens');
    await until(one.told, (told) => told.includes('open'), 'the stream opens');
    assert.equal(await other.theme(), 'before');
    await mark(ada, 'after');
    await until(other.theme, (theme) => theme === 'after', 'the page shows the change');
    assert.deepEqual(await other.told(), ['read 200', 'open', 'event', 'read 200'], 'one event, one read');
    assert.deepEqual(await one.told(), ['read 200', 'open'], 'nothing of another tenant');
    await mark(cyd, 'theirs');
    await until(one.theme, (theme) => theme === 'theirs', 'the other page shows its own');
    assert.equal(await other.theme(), 'after');
    await Promise.all([one.context.close(), other.context.close()]);
  });

  test('is told by a stream that it is signed out', async () => {
    const token = await signIn(ben);
    const { context, started, told } = await openPage(token);
    await started;
    await until(told, (told) => told.includes('open'), 'the stream opens');
    await fetch(`${vital.url}/auth/v1/logout?scope=local`, { method: 'POST', headers: bearing(token) });
    await until(told, (told) => told.includes('closed'), 'the stream is closed for good: its address is refused');
    await context.close();
  });

  test('of another origin reads nothing', async () => {
    const { context, started, told } = await openPage(await signIn(ben), foreign.origin);
    await assert.rejects(started, /Failed to fetch/);
    assert.deepEqual(await told(), []);
    await context.close();
  });
});
