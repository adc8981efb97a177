import { VitalError } from '@vital-db/client';
import { useTenantSwitch } from '@vital-db/client/react';
import { useEffect } from 'react';
import { Button, buttonClass } from '../ui/button';
import { Problem } from '../ui/state';
import { Centered } from './sign-in';
import { signOut } from './token';

/** What an operator can end at any time, and how often it is looked whether they have, in milliseconds. */
const passing = new Set(['tenant_pending', 'tenant_suspended']);
const every = 15_000;

/** As the console's users need it: the API's hint is about headers, which are none of theirs. */
function inAddress(error: VitalError): VitalError {
  if (error.code !== 'tenant_not_found') return error;
  const { code, message, requestId, status } = error;
  return new VitalError({ code, message, requestId, status, hint: 'Check the tenant in the address (/t/…), or ask one of its admins to invite you.' });
}

/** Why there is no tenant to show, and where else one can go. A tenant that is not there and one that is not the user's read alike. */
export function Refused({ error, retry, retrying }: { error: VitalError; retry: () => void; retrying: boolean }) {
  const { tenants } = useTenantSwitch();
  const home = import.meta.env.BASE_URL;
  const passes = passing.has(error.code);
  useEffect(() => {
    if (!passes) return undefined;
    const again = setInterval(() => { if (!document.hidden) retry(); }, every);
    return () => clearInterval(again);
  }, [passes, retry]);
  return (
    <Centered>
      <Problem error={inAddress(error)} retry={passes || error.transient || error.code === 'internal' ? retry : undefined} retrying={retrying} />
      <div className="flex flex-col gap-2">
        {tenants.map(({ id, name, slug }) => <a key={id} className={buttonClass()} href={`${home}t/${slug}`}>{name}</a>)}
        {tenants.length === 0 && <a className={buttonClass()} href={home}>To your own tenant</a>}
        <Button variant="ghost" onClick={() => { void signOut(); }}>Sign out</Button>
      </div>
    </Centered>
  );
}
