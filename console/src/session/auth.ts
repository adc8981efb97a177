import { GoTrueClient } from '@supabase/auth-js';

/** The embedded sign-in: signs in, refreshes and keeps the session, for all tabs of this browser. */
export const auth = new GoTrueClient({ url: `${location.origin}/auth/v1`, storageKey: 'vital-console' });
