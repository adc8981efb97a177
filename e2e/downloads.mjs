// What stories about downloads have in common: where files go, lines that are slow, and tenants that are large.

/** Asks for archives by the API, as users whose tokens are remembered. */
export function poster(vital) {
  const tokens = new Map();
  return async (path, email) => {
    if (!tokens.has(email)) tokens.set(email, await vital.token(email));
    return fetch(vital.url + path, { method: 'POST', headers: { Authorization: `Bearer ${tokens.get(email)}`, 'Vital-Reason': 'by hand' } });
  };
}

/** Takes out what there is until that is too often within the hour. */
export async function exhaust(post, path, email) {
  for (;;) {
    const answer = await post(path, email);
    const contents = await answer.text();
    if (!answer.ok && JSON.parse(contents).code !== 'conflict') return; // which it may be for a moment after the last byte
  }
}

/** What the page says of downloads. */
export const tray = (page) => page.getByRole('list', { name: 'Downloads' });

/** Where pages may write to no file: what arrives is saved like every download. */
export const withoutPicker = (page) => page.evaluate(() => { window.showSaveFilePicker = undefined; });

/** The user chooses a file: one of the browser's own, since no test can use the system's window. */
export const withPicker = (page) => page.evaluate(() => {
  window.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
});

/** The files the user has chosen, and what is in them. */
export const chosen = (page) => page.evaluate(async () => {
  const files = {};
  for await (const [name, handle] of (await navigator.storage.getDirectory()).entries()) {
    const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    files[name] = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
  return files;
});

/** From now on the page receives as over a slow line, 600 kB a second; returns how to make it a fast one again. */
export async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const receive = (downloadThroughput) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput, uploadThroughput: -1 });
  await receive(600_000);
  return () => receive(-1);
}

/** Has a table that makes tenants large, more so than a slow line brings within a test, and what lies between can hold. */
export function ballast(vital) {
  return {
    make: () => vital.sql(`create table public.ballast (tenant_id uuid not null references public.organizations, id int, noise text, primary key (tenant_id, id));
      alter table public.ballast alter column noise set storage external;
      grant select on public.ballast to service_role`),
    load: (slug) => vital.sql(`insert into public.ballast select (select id from organizations where slug = '${slug}'), n, (select string_agg(md5(m::text), '') from generate_series(1, 32768) m) from generate_series(1, 64) n`),
    drop: () => vital.sql('truncate public.ballast'),
    /** Ends what is being read of it, so that the server cannot go on; returns of how many. */
    breakOff: () => vital.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%ballast%' and pid <> pg_backend_pid()"),
  };
}
