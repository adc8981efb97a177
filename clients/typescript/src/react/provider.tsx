import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { VitalClient } from '../client.js';
import type { VitalError } from '../error.js';
import type { TenantContext } from '../types.js';
import { stateOf, type TenantAuthState } from './state.js';

/** What a fallback is told, and may do about it. */
export interface Problem {
  error: VitalError;
  retry: () => void;
  retrying: boolean;
}

/** What a {@link TenantAuthProvider} takes. */
export interface TenantAuthProviderProps {
  client: VitalClient;
  /** Rendered once there is a context, and never without one. */
  children: ReactNode;
  /** While the context is on its way, and on the server. */
  loading?: ReactNode;
  /** While nobody is signed in: the place for a form. `error` says why, where a session was ended. */
  signedOut?: ReactNode | ((state: { error: VitalError | undefined }) => ReactNode);
  /** While the tenant is suspended. */
  suspended?: (problem: Problem) => ReactNode;
  /** While there is no context to show. */
  error?: (problem: Problem) => ReactNode;
  /** Makes the QueryClient of one user in one tenant. Defaults to what is fresh for 5 minutes and kept for 10. */
  createQueryClient?: () => QueryClient;
}

const ClientContext = createContext<VitalClient | null>(null);
const StateContext = createContext<TenantAuthState | null>(null);

const minute = 60_000;
/** How long what was read is fresh, and kept; a change that is heard of ends it at once. On a server nothing is kept by a timer, which would outlive the page. */
export const freshness = { staleTime: 5 * minute, gcTime: typeof window === 'undefined' ? Infinity : 10 * minute };
/** The key of all that VITAL has told. Queries of your own below it are read again, too, whenever the context is another. */
export const vitalKey = ['vital'] as const;

/**
 * The one provider of user, tenant and how the tenant is set up: one request, and one stream that says when to repeat it.
 *
 * Each user in each tenant has a QueryClient and a tree of their own: whoever signs out or switches the tenant leaves no data and no
 * component of the former behind, those of the application's own queries included.
 */
export function TenantAuthProvider({ client, createQueryClient = defaultQueryClient, ...props }: TenantAuthProviderProps): ReactNode {
  const scope = useSyncExternalStore(client.subscribe, client.snapshot, client.snapshot);
  const queryClient = useMemo(createQueryClient, [scope]); // eslint-disable-line react-hooks/exhaustive-deps -- one a scope, however often the function is another
  useEmptied(queryClient);
  return (
    <ClientContext.Provider value={client}>
      <QueryClientProvider client={queryClient}>
        <Session key={keyOf(scope)} client={client} queryClient={queryClient} {...props} />
      </QueryClientProvider>
    </ClientContext.Provider>
  );
}

type Views = Pick<TenantAuthProviderProps, 'children' | 'loading' | 'signedOut' | 'suspended' | 'error'>;

/** One user in one tenant. */
function Session({ client, queryClient, ...views }: Views & { client: VitalClient; queryClient: QueryClient }): ReactNode {
  const { data, error, isFetching, refetch } = useQuery({
    ...freshness, queryKey: [...vitalKey, 'context'], queryFn: ({ signal }) => client.context({ signal }),
    retry: false, refetchOnWindowFocus: false, // the client tries again itself, and hears of changes
    refetchInterval: freshness.staleTime, // for where no stream gets through; mostly answered with 304
  });
  const retrying = isFetching && error !== null;
  const state = useMemo(() => stateOf({ data, error, retrying, refetch }), [data, error, retrying, refetch]);
  const listening = useAttended() && state.status === 'ready';
  useEffect(() => (listening ? client.onChange(() => { void queryClient.invalidateQueries({ queryKey: vitalKey }); }) : undefined), [client, queryClient, listening]);
  return <StateContext.Provider value={state}>{viewOf(state, views)}</StateContext.Provider>;
}

function viewOf(state: TenantAuthState, { children, loading, signedOut, suspended = Alert, error = Alert }: Views): ReactNode {
  switch (state.status) {
    case 'loading': return loading ?? <p role="status">Loading…</p>;
    case 'signed-out': return typeof signedOut === 'function' ? signedOut({ error: state.error }) : signedOut ?? <p role="status">You are signed out.</p>;
    case 'suspended': return suspended(state);
    case 'error': return error(state);
    case 'ready': return children;
  }
}

/** What went wrong, what to do next, and a way to try again. */
function Alert({ error, retry, retrying }: Problem): ReactNode {
  return (
    <div role="alert">
      <p>{error.message}</p>
      <p>{error.hint}</p>
      {error.requestId && <p><small>Request {error.requestId}</small></p>}
      <button type="button" onClick={retry} disabled={retrying}>Try again</button>
    </div>
  );
}

/** The client of the provider above. */
export function useVital(): VitalClient {
  return outside(useContext(ClientContext));
}

/** Where the page is with its user and tenant: for fallbacks, which are rendered when there is no tenant. */
export function useTenantAuth(): TenantAuthState {
  return outside(useContext(StateContext));
}

/** The context; it is there wherever the provider's children are. */
export function useTenantContext(): TenantContext {
  const state = useTenantAuth();
  if (state.status !== 'ready') throw new Error(`There is no tenant while the page is ${state.status}: use this hook in children of TenantAuthProvider, and useTenantAuth in its fallbacks.`);
  return state.context;
}

function outside<T>(value: T | null): T {
  if (value === null) throw new Error('There is no TenantAuthProvider above this component.');
  return value;
}

function defaultQueryClient(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { ...freshness, refetchOnWindowFocus: false, retry: 3 } } });
}

/** Empties a QueryClient when another has taken its place. */
function useEmptied(queryClient: QueryClient): void {
  const former = useRef(queryClient);
  useEffect(() => {
    if (former.current === queryClient) return;
    void former.current.cancelQueries();
    former.current.clear();
    former.current = queryClient;
  }, [queryClient]);
}

/**
 * Whether somebody looks at the page, or did so within two minutes. Pages that nobody looks at close their streams: without HTTP/2 a
 * browser has six connections to a server, for all its tabs. A stream that begins again has what is shown read again.
 */
function useAttended(): boolean {
  const [attended, setAttended] = useState(true);
  useEffect(() => {
    let leaving: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(leaving);
      if (document.hidden) leaving = setTimeout(() => setAttended(false), 2 * minute);
      else setAttended(true);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(leaving);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return attended;
}

const keys = new WeakMap<object, number>();
let lastKey = 0;

/** A key for React, which takes no objects. */
function keyOf(scope: object): number {
  let key = keys.get(scope);
  if (key === undefined) keys.set(scope, key = ++lastKey);
  return key;
}
