import { QueryClient } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { VitalError } from '@vital-db/client';
import { TenantAuthProvider } from '@vital-db/client/react';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { router } from './router';
import { vital } from './session/clients';
import { Refused } from './session/refused';
import { SignIn } from './session/sign-in';
import { followTheme } from './shell/theme';
import { tenantOf } from './address';
import { clearDownloads } from './download/downloads';
import { Loading } from './ui/state';
import { clearToasts } from './ui/toast';
import './styles.css';

followTheme();
// Windows keep the page behind them from scrolling by a style element, which the content security policy lets them make.
setNonce(document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '');

// The address says which tenant this tab is in.
let named = tenantOf(location.pathname);
vital.subscribe(() => {
  named = tenantOf(router.history.location.pathname); // who signs in anew is where the address says, or in their own tenant
  clearToasts(); // what was done in one tenant, or by one user, is not told in the next
  clearDownloads();
});
router.history.subscribe(({ location: { pathname } }) => {
  const next = tenantOf(pathname);
  if (next === undefined || next === named) return;
  named = next;
  vital.switchTenant(next).catch(() => {}); // the provider shows why
});

/** What may go well another time is read twice more, soon; then it is told that it failed. */
const createQueryClient = () => new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000, refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && error instanceof VitalError && error.transient, retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <TenantAuthProvider client={vital} createQueryClient={createQueryClient} loading={<Loading className="h-dvh" />} signedOut={({ error }) => <SignIn ended={error} />}
      suspended={(problem) => <Refused {...problem} />} error={(problem) => <Refused {...problem} />}>
      <RouterProvider router={router} />
    </TenantAuthProvider>
  </StrictMode>,
);
