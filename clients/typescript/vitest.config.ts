import { defineConfig } from 'vitest/config';

const react18 = new URL('./test/react18/node_modules/', import.meta.url).pathname;
const jsdom = { environment: 'jsdom', include: ['test/react.test.tsx'], server: { deps: { inline: ['@testing-library/react', '@tanstack/react-query'] } } };

export default defineConfig({
  test: {
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'client', include: ['test/*.test.ts'], exclude: ['test/live*', 'test/package.test.ts', 'test/fresh.test.ts'] } },
      { extends: true, test: { name: 'server', include: ['test/live*.test.ts'], globalSetup: 'test/live.setup.ts', hookTimeout: 120_000, testTimeout: 60_000, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'package', include: ['test/package.test.ts'], hookTimeout: 300_000, testTimeout: 300_000, sequence: { groupOrder: 2 } } },
      ...(process.env.VITAL_FRESH ? [{ extends: true as const, test: { name: 'fresh', include: ['test/fresh.test.ts'], hookTimeout: 120_000, testTimeout: 600_000 } }] : []), // npm's registry decides about it: make client-fresh
      { extends: true, test: { name: 'react-19', env: { REACT: '19' }, ...jsdom } },
      { extends: true, test: { name: 'react-18', env: { REACT: '18' }, ...jsdom }, resolve: { alias: [
        { find: /^(react|react-dom)(?=\/|$)/, replacement: `${react18}$1` },
        { find: '@testing-library/react', replacement: '@testing-library/react/dist/@testing-library/react.esm.js' }, // whose imports can be led elsewhere
      ] } },
    ],
  },
});
