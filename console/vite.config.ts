import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const client = (path: string) => fileURLToPath(new URL(`../clients/typescript/src/${path}`, import.meta.url));
const server = process.env.VITAL_URL ?? 'http://127.0.0.1:8080'; // what `npm run dev` stands in front of

/** Lays what text compresses to beside it, for the server to hand out as it is. */
function compressed(): Plugin {
  return {
    name: 'compressed', apply: 'build',
    async writeBundle({ dir }) {
      const names = await readdir(dir!, { recursive: true });
      await Promise.all(names.filter((name) => /\.(js|css|svg)$/.test(name)).map(async (name) => {
        await writeFile(`${dir}/${name}.gz`, await promisify(gzip)(await readFile(`${dir}/${name}`), { level: 9 }));
      }));
      await writeFile(`${dir}/.gitkeep`, '');
    },
  };
}

export default defineConfig({
  base: '/console/',
  plugins: [react(), tailwindcss(), compressed()],
  resolve: {
    // The client as it stands in this repository; what it imports is what the console has.
    alias: [
      { find: /^@vital-db\/client$/, replacement: client('index.ts') },
      { find: /^@vital-db\/client\/react$/, replacement: client('react/index.ts') },
    ],
    dedupe: ['react', 'react-dom', '@tanstack/react-query'],
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy has no data: for scripts, styles or fonts
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    chunkSizeWarningLimit: 700, // kB before compression; what matters is what is sent, which e2e/console holds to its bound
  },
  server: {
    proxy: Object.fromEntries(['/auth', '/rest', '/api', '/v1', '/ofrep', '/metrics', '/readyz', '/openapi.json'].map((path) => [path, server])),
  },
});
