import { useTenantSwitch } from '@vital-db/client/react';

export function TenantSwitcher() {
  const { tenants, current, switchTenant } = useTenantSwitch();
  return (
    <label>
      Tenant{' '}
      <select value={current} onChange={(event) => switchTenant(event.target.value)}>
        {tenants.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </select>
    </label>
  );
}
