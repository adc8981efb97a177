// Runs the real server for tests, and for types that are generated from it.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const vital = process.env.VITAL_BINARY ?? new URL('../../../bin/vital', import.meta.url).pathname;

/**
 * `vital up` on a free port and a private Postgres in a fresh directory. `stop` ends it and removes the
 * directory.
 * @param {Record<string, string>} env settings of the server
 */
export async function up(env = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'vital-client-'));
  await chmod(directory, 0o755); // Postgres may run as another user
  const dataDir = join(directory, 'data');
  const child = spawn(vital, ['up', '--listen', '127.0.0.1:0', '--data-dir', dataDir], {
    env: { ...withoutSettings(process.env), ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise((resolve) => { child.once('close', resolve); });
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);
  exited.then(() => process.off('exit', kill));
  try {
    const greeting = await greetingOf(child);
    return { url: greeting.match(/^ready (http:\S+)$/m)[1], passwords: passwordsOf(greeting), anonKey: await command(dataDir, 'key', 'anon'), dataDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * What a command of `vital` prints, of the server in dataDir.
 * @param {string} dataDir
 * @param {string[]} args
 */
export async function command(dataDir, ...args) {
  const { stdout } = await run(vital, args, { env: { ...withoutSettings(process.env), VITAL_DATA_DIR: dataDir }, maxBuffer: 1 << 26 });
  return stdout.trim();
}

/** The caller's own VITAL_ settings are none of the tests'. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('VITAL_') || name === 'VITAL_PG_BIN'));
}

/** What the server prints when it is ready. */
function greetingOf(child) {
  return new Promise((resolve, reject) => {
    let out = '';
    let log = '';
    const fail = (why) => reject(new Error(`vital up ${why}:\n${out}\n${log}`));
    const late = setTimeout(() => fail('is not ready after 90 s'), 90_000);
    child.stderr.setEncoding('utf8').on('data', (text) => { log = (log + text).slice(-10_000); });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      if (out.includes('Ctrl-C')) { clearTimeout(late); resolve(out); }
    });
    child.once('error', (error) => { clearTimeout(late); fail(error.message); });
    child.once('close', () => { clearTimeout(late); fail('ended'); });
  });
}

function passwordsOf(greeting) {
  return Object.fromEntries([...greeting.matchAll(/^(\S+@\S+) +([a-z2-9]{4}(?:-[a-z2-9]{4})+) /gm)].map(([, email, password]) => [email, password]));
}
