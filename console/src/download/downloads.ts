// Archives on their way from the server to a file: what is under way in this tab, how much of it is there, and how it ended. They go on while
// their user looks at other pages.
import { VitalError } from '@vital-db/client';
import { useSyncExternalStore } from 'react';
import { checked } from '../api/answer';
import { vital } from '../session/clients';
import { chooseFile, type Target } from './file';
import { unfinished, watched } from './whole';

export interface Download {
  id: number;
  /** The file, as its user knows it. */
  name: string;
  state: 'receiving' | 'done' | 'failed';
  bytes: number;
  /** Why it failed. */
  error?: VitalError;
  cancel: () => void;
}

/** What is asked for. */
export interface Wanted {
  /** Of the server. */
  path: string;
  /** What the file is called where the user chooses no other name: as the server calls it. */
  name: string;
  /** Why, for the audit log. */
  reason?: string;
}

/** How often it is told how much is there, in milliseconds: pieces arrive far more often. */
const every = 100;

let downloads: readonly Download[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Download[]): void {
  downloads = next;
  for (const listener of listeners) listener();
}

const change = (id: number, to: Partial<Download>) => set(downloads.map((one) => (one.id === id ? { ...one, ...to } : one)));

export function dismiss(id: number): void {
  set(downloads.filter((one) => one.id !== id));
}

/** What is over is told in the tenant it was begun in, and to nobody else. */
export function clearDownloads(): void {
  const receiving = downloads.filter(({ state }) => state === 'receiving');
  if (receiving.length < downloads.length) set(receiving);
}

export function useDownloads(): readonly Download[] {
  return useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => downloads);
}

/**
 * Asks where the file goes, where the browser can write to one, and begins to receive it. Resolves once the server sends it; rejects with
 * why it does not, and nothing is left behind then.
 */
export async function download({ path, name, reason }: Wanted): Promise<void> {
  const ending = new AbortController();
  const target = await chooseFile(name);
  let response: Response;
  try {
    response = await checked(vital.fetch(path, { method: 'POST', headers: reason ? { 'Vital-Reason': headerText(reason) } : {}, signal: ending.signal }));
  } catch (error) {
    await target.discard();
    throw inPage(error as Error);
  }
  const id = ++last;
  set([...downloads, { id, name: target.name, state: 'receiving', bytes: 0, cancel: () => ending.abort(new Cancelled()) }]);
  void receive(id, response, target, ending.signal);
}

async function receive(id: number, response: Response, target: Target, signal: AbortSignal): Promise<void> {
  let told = 0;
  const arriving = watched(response.body!, (bytes) => {
    if (Date.now() - told < every) return;
    told = Date.now();
    change(id, { bytes });
  });
  const leaving = (event: BeforeUnloadEvent) => event.preventDefault();
  addEventListener('beforeunload', leaving);
  try {
    change(id, { state: 'done', bytes: await target.take(arriving.stream, signal) });
  } catch (error) {
    await target.discard();
    ended(id, signal.aborted ? signal.reason : arriving.failure() ?? unfinished('The file could not be written.', error));
  } finally {
    removeEventListener('beforeunload', leaving);
  }
}

/** Ended by the user who asked for it, and needs no telling. */
class Cancelled extends Error {}

/** The session is over, or is somebody else's now: they are told nothing. */
const sessions = new Set(['token_missing', 'token_expired', 'session_changed', 'session_revoked']);

function ended(id: number, error: unknown): void {
  const code = error instanceof VitalError ? error.code : undefined;
  if (error instanceof Cancelled || (code !== undefined && sessions.has(code))) dismiss(id);
  else if (code === 'tenant_switched') change(id, { state: 'failed', error: unfinished('You went to another tenant before all of it was there.') });
  else change(id, { state: 'failed', error: error instanceof VitalError ? error : unfinished('The connection was lost before all of it was there.', error) });
}

/** As the console's users need it: the API's hint is about headers, which are none of theirs. */
function inPage(error: Error): Error {
  if (!(error instanceof VitalError) || error.retryAfter === undefined) return error;
  const { code, message, status, requestId, retryAfter } = error;
  return new VitalError({ code, message, status, requestId, retryAfter, hint: `Try again in ${retryAfter} seconds.` });
}

/** A header holds bytes: those of UTF-8, on one line. */
function headerText(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text.replace(/\s+/g, ' ').trim()));
}
