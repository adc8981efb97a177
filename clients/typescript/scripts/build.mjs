// Compiles src twice, for import and for require, into dist; with --check-tests the tests' types are checked beside that.
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** Runs the compiler. */
function compile(...options) {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [tsc, '-p', ...options], { cwd: root, stdio: 'inherit' })
      .once('error', reject)
      .once('close', (code) => (code === 0 ? resolve() : reject(new Error(`tsc ${options.join(' ')}: exit ${code}`))));
  });
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
await Promise.all([
  compile('tsconfig.build.json', '--outDir', 'dist/esm'),
  compile('tsconfig.build.json', '--outDir', 'dist/cjs', '--module', 'commonjs', '--moduleResolution', 'node10', '--noCheck'), // the same was checked above
  ...(process.argv.includes('--check-tests') ? [compile('tsconfig.json', '--noEmit')] : []),
]);
writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');
