import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { up } from '../scripts/vital.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    vital: { url: string; anonKey: string; passwords: Record<string, string>; dataDir: string };
    /** A page's origin, which the server lets call, and the directory that it shows. */
    site: { origin: string; directory: string };
  }
}

/** One real server, and one web server for pages that call it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const site = await serve();
  const { url, anonKey, passwords, dataDir, stop } = await up({ VITAL_CORS_ORIGINS: site.origin });
  project.provide('vital', { url, anonKey, passwords, dataDir });
  project.provide('site', { origin: site.origin, directory: site.directory });
  return async () => {
    await Promise.all([stop(), site.stop()]);
  };
}

const types: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

async function serve() {
  const directory = await mkdtemp(join(tmpdir(), 'vital-site-'));
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : request.url!;
    readFile(join(directory, path)).then(
      (content) => response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    directory, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => { server.closeAllConnections(); server.close(); await rm(directory, { recursive: true, force: true }); },
  };
}
