import { PostgrestClient } from '@supabase/postgrest-js';
import { createVitalClient, fromSupabase, type Database } from '@vital-db/client';
import { tenantOf } from '../address';
import { auth } from './auth';
import { onPastedToken, pastedToken } from './token';

const embedded = fromSupabase({ auth });

/** Who the user is and how their tenant is set up; in the tenant that the address names. */
export const vital = createVitalClient({
  url: location.origin,
  get tenant() { return tenantOf(location.pathname); }, // asked again at each sign-in, by when the address may name another
  storage: null, // the address says which tenant this tab is in
  getToken: () => pastedToken() ?? embedded.getToken(),
  onSession(listener) {
    const stop = [onPastedToken(listener), embedded.onSession!((token) => listener(pastedToken() ?? token))];
    return () => { for (const end of stop) end(); };
  },
});

/** Rows and functions, as the user and in the tenant that `vital` is in. Whether a read is tried again is its query's to say. */
export const rest = new PostgrestClient<Database>(`${vital.url}/rest/v1`, { fetch: vital.fetch, retry: false });
