import { createClient } from '@supabase/supabase-js';
import { createVitalClient, fromSupabase } from '@vital-db/client';

const url: string = import.meta.env.VITE_VITAL_URL;

/** Signs in, refreshes and keeps the session; reads and writes any row. */
export const supabase = createClient(url, import.meta.env.VITE_VITAL_ANON_KEY);

/** Who is this user, which tenants are theirs, how is their tenant set up. */
export const vital = createVitalClient({ url, ...fromSupabase(supabase) });
