// The browser of the tests.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

// As .ci/require looks for it.
const executablePath = [
  process.env.VITAL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));
const browserArguments = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** A browser on a fresh profile. */
export function launch() {
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: browserArguments });
}
