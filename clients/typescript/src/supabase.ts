/** What is needed of supabase-js; any client of version 2 has it. */
export interface SupabaseLike {
  auth: {
    getSession(): Promise<{ data: { session: { access_token: string } | null }; error: unknown }>;
    onAuthStateChange(callback: (event: string, session: { access_token: string } | null) => void): { data: { subscription: { unsubscribe(): void } } };
  };
}

/** Where a client's access tokens come from. */
export interface Session {
  /** The access token of now, null when nobody is signed in. It may be asked often. */
  getToken: () => Promise<string | null> | string | null;
  /** Tells whenever somebody signs in or out, with their token or null; returns how to stop. */
  onSession?: (listener: (token: string | null) => void) => () => void;
}

/**
 * The session of a supabase-js client, which goes on signing in, refreshing and keeping it.
 *
 * ```ts
 * const vital = createVitalClient({ url, ...fromSupabase(supabase) })
 * ```
 */
export function fromSupabase(supabase: SupabaseLike): Session {
  // A tab hears that another has signed in before it finds the session in the storage they share.
  let told: string | null = null;
  return {
    async getToken() {
      const { data, error } = await supabase.auth.getSession();
      if (error) throw error; // it could not be refreshed now, which is not to be signed out
      return data.session?.access_token ?? told;
    },
    onSession(listener) {
      const { data } = supabase.auth.onAuthStateChange((_event, session) => {
        told = session?.access_token ?? null;
        listener(told);
      });
      return () => data.subscription.unsubscribe();
    },
  };
}
