import type { UseQueryResult } from '@tanstack/react-query';
import { VitalError } from '../error.js';
import type { TenantContext } from '../types.js';

/** Where the page is with its user and tenant. */
export type TenantAuthState =
  | { status: 'loading' }
  /** Nobody is signed in; `error` says why, where a session was ended. */
  | { status: 'signed-out'; error: VitalError | undefined }
  /** The tenant is suspended. */
  | { status: 'suspended'; error: VitalError; retry: () => void; retrying: boolean }
  /** There is no context to show: `error.hint` names the next step. */
  | { status: 'error'; error: VitalError; retry: () => void; retrying: boolean }
  /** `error` says that what is shown could not be refreshed. */
  | { status: 'ready'; context: TenantContext; error: VitalError | undefined; retry: () => void };

/** What a page knows of its context. */
type Known = Pick<UseQueryResult<TenantContext>, 'data' | 'error' | 'refetch'> & { retrying: boolean };

/** The state of the page. A refusal ends what is shown; that the server is away does not. */
export function stateOf({ data, error: raw, retrying, refetch }: Known): TenantAuthState {
  const retry = () => { void refetch(); };
  const error = raw ? asVitalError(raw) : undefined;
  if (data && (!error || error.transient || error.code === 'token_unavailable')) return { status: 'ready', context: data, error, retry };
  if (!error) return { status: 'loading' };
  if (error.status === 401) return { status: 'signed-out', error: error.code === 'token_missing' ? undefined : error };
  return { status: error.code === 'tenant_suspended' ? 'suspended' : 'error', error, retry, retrying };
}

function asVitalError(error: Error): VitalError {
  if (error instanceof VitalError) return error;
  return new VitalError({ code: 'internal', message: error.message, hint: 'This is a fault of the page or of the client: the cause says more.', cause: error });
}
