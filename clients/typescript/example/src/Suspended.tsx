import type { VitalError } from '@vital-db/client';
import { TenantSwitcher } from './TenantSwitcher';

export function Suspended({ error }: { error: VitalError }) {
  return (
    <>
      <TenantSwitcher />
      <p role="alert">{error.message} {error.hint}</p>
    </>
  );
}
