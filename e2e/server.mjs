// Starts the real binary for one test file, and ends it.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';

const run = promisify(execFile);
const vital = process.env.VITAL_BINARY ?? new URL('../bin/vital', import.meta.url).pathname;

/** The demo users. */
export const ada = 'ada@digital-health.vital.test'; // admin of digital-health
export const ben = 'ben@digital-health.vital.test'; // member of digital-health
export const cyd = 'cyd@pharma.vital.test'; // admin of pharma
export const dana = 'dana@pharma.vital.test'; // member of pharma and of digital-health
export const alex = 'admin@platform.vital.test'; // super admin

/**
 * `vital up` on a free port and a private Postgres in a fresh directory. `env` adds settings. `stop`
 * ends it and removes the directory; a test file that is ended ends it too.
 */
export async function up(env = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'vital-e2e-'));
  await chmod(directory, 0o755); // Postgres may run as another user
  const dataDir = join(directory, 'data');
  const child = spawn(vital, ['up', '--listen', '127.0.0.1:0', '--data-dir', dataDir], {
    env: { ...withoutSettings(process.env), ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = new Server(child, directory, dataDir);
  process.once('exit', () => child.kill('SIGTERM'));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // which is no exit of its own accord
  try {
    await server.ready();
    [server.anonKey, server.serviceKey] = await Promise.all([server.command('key', 'anon'), server.command('key', 'service')]);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** The caller's own VITAL_ settings are none of the tests'. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('VITAL_') || name === 'VITAL_PG_BIN'));
}

class Server {
  #child;
  #directory;
  #out = '';
  #log = '';
  #exited;

  constructor(child, directory, dataDir) {
    this.#child = child;
    this.#directory = directory;
    this.dataDir = dataDir;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    child.once('error', (error) => { this.#log += error.message; });
    child.stdout.setEncoding('utf8').on('data', (text) => { this.#out += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { this.#log += text; });
  }

  /** Waits for the line that says where it serves, and for the rest of the greeting. */
  async ready() {
    await this.#until(() => this.#out.includes('Ctrl-C'), 60_000, 'become ready');
    this.url = this.#out.match(/^ready (http:\S+)$/m)[1];
    this.passwords = Object.fromEntries([...this.#out.matchAll(/^(\S+@\S+) +([a-z2-9]{4}(?:-[a-z2-9]{4})+) /gm)].map(([, email, password]) => [email, password]));
  }

  async #until(condition, milliseconds, what) {
    for (const end = Date.now() + milliseconds; !condition();) {
      if (Date.now() > end || this.#child.exitCode !== null || !this.#child.pid) {
        throw new Error(`vital did not ${what}:\n${this.#out}\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Runs `vital …` on the same data and returns what it prints. */
  async command(...args) {
    const { stdout } = await run(vital, ['--data-dir', this.dataDir, ...args], { env: withoutSettings(process.env) });
    return stdout.trim();
  }

  /** Runs SQL as the operator of the private Postgres, a superuser, and returns what it prints. */
  async sql(text) {
    const { stdout } = await run(vital, ['--data-dir', this.dataDir, 'db', 'psql', '--', '-v', 'ON_ERROR_STOP=1', '-qAtc', text], { env: withoutSettings(process.env) });
    return stdout.trim();
  }

  /** An access token of a demo user. */
  token(email, ...more) {
    return this.command('token', '--user', email, ...more);
  }

  /** The secret that signs what `vital token` prints. */
  async jwtSecret() {
    return (await readFile(join(this.dataDir, 'secrets', 'jwt'), 'utf8')).trim();
  }

  /** Waits until the log has a line with `text`, and returns the last such line. */
  async logLine(text) {
    const find = () => this.#log.split('\n').findLast((line) => line.includes(text) && line.endsWith('}'));
    await this.#until(find, 10_000, `log ${text}`);
    return JSON.parse(find());
  }

  /** supabase-js as a server-side program makes it: nothing is kept or refreshed behind the test's back. */
  client(key = this.anonKey, options = {}) {
    return createClient(this.url, key, {
      ...options,
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, ...options.auth },
      realtime: { transport: WebSocket }, // Node 20 has none of its own
    });
  }

  /** A client that acts as a demo user, by a token and without a session. */
  async as(email, headers = {}) {
    const token = await this.token(email);
    return createClient(this.url, this.anonKey, {
      accessToken: async () => token, global: { headers }, realtime: { transport: WebSocket },
    });
  }

  /** A client with the service key: every row of every tenant. */
  asService() {
    return this.client(this.serviceKey);
  }

  async stop() {
    this.#child.kill('SIGTERM');
    await this.#exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
