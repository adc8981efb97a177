import { auth } from './auth';

/**
 * A token that was pasted: for servers whose users sign in elsewhere. It is this tab's until it is closed or the token expires; nothing
 * refreshes it.
 */
const key = 'vital-console-token';
const listeners = new Set<(token: string | null) => void>();

export function pastedToken(): string | null {
  return sessionStorage.getItem(key);
}

export function pasteToken(token: string): void {
  sessionStorage.setItem(key, token);
  for (const listener of listeners) listener(token);
}

export function onPastedToken(listener: (token: string | null) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Ends the session, whichever it is, on the server where it is the server's. */
export async function signOut(): Promise<void> {
  if (pastedToken() === null) {
    await auth.signOut({ scope: 'local' });
    return;
  }
  sessionStorage.removeItem(key);
  for (const listener of listeners) listener(null);
}
