import { TenantAuthProvider } from '@vital-db/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { vital } from './clients';
import { Dashboard } from './Dashboard';
import { SignIn } from './SignIn';
import { Suspended } from './Suspended';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <TenantAuthProvider client={vital} signedOut={({ error }) => <SignIn reason={error?.message} />} suspended={({ error }) => <Suspended error={error} />}>
      <Dashboard />
    </TenantAuthProvider>
  </StrictMode>,
);
