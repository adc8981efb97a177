import { useNavigate } from '@tanstack/react-router';
import { useTenant, useTenantSwitch, useUser } from '@vital-db/client/react';
import { Building2, Check, ChevronsUpDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { menuClass, menuItemClass } from '../ui/menu';

/** The tenant of this tab, and the user's others. The address says which it is, so two tabs can be in two. */
export function TenantSwitcher({ onGo }: { onGo?: () => void }) {
  const { organization } = useTenant();
  const { tenants } = useTenantSwitch();
  const operator = useUser().role === 'super_admin';
  const navigate = useNavigate();
  const go = (to: '/t/$tenant' | '/operator/tenants', tenant = '') => { onGo?.(); void navigate({ to, params: { tenant } } as never); };
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="flex w-full items-center gap-2.5 rounded-lg border border-line bg-surface px-2.5 py-2 text-left shadow-card hover:border-line-strong">
        <span className="grid size-7 shrink-0 place-items-center rounded-md bg-accent-soft text-xs font-bold text-accent-ink" aria-hidden>{organization.name[0]}</span>
        <span className="min-w-0 grow"><span className="block truncate text-sm font-semibold">{organization.name}</span><span className="block truncate text-xs text-muted">{organization.slug}</span><span className="sr-only">, switch tenant</span></span>
        <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={6} className={`${menuClass} max-h-96 w-60 overflow-y-auto`}>
          <DropdownMenu.Label className="px-2.5 py-1 text-xs text-muted">Your tenants</DropdownMenu.Label>
          {tenants.map((tenant) => (
            <DropdownMenu.Item key={tenant.id} className={menuItemClass} onSelect={() => go('/t/$tenant', tenant.slug)}>
              <span className="min-w-0 grow truncate">{tenant.name}</span>
              {tenant.id === organization.id && <Check className="size-4" aria-label="current" />}
            </DropdownMenu.Item>
          ))}
          {tenants.length === 0 && <p className="px-2.5 py-1 text-muted">You are a member of none.</p>}
          {operator && <><DropdownMenu.Separator className="my-1 border-t border-line" /><DropdownMenu.Item className={menuItemClass} onSelect={() => go('/operator/tenants')}><Building2 className="size-4 text-muted" aria-hidden />All tenants</DropdownMenu.Item></>}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
