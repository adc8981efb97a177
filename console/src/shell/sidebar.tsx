import { Link } from '@tanstack/react-router';
import { useRole, useTenant, useUser } from '@vital-db/client/react';
import { operatorItems, tenantItems } from './navigation';
import { TenantSwitcher } from './tenant-switcher';
import { UserMenu } from './user-menu';
import { Brand } from './brand';

/** Where one can go; `onGo` is told when somebody does. */
export function Sidebar({ onGo }: { onGo?: () => void }) {
  const { organization } = useTenant();
  const admin = useRole('admin');
  const operator = useUser().role === 'super_admin';
  const items = tenantItems.filter(({ role }) => role === undefined || admin);
  return (
    <div className="flex h-full flex-col gap-4 p-3">
      <Link to="/" className="rounded-lg px-2 pt-1.5" onClick={onGo}><Brand /></Link>
      <TenantSwitcher onGo={onGo} />
      <nav aria-label="Pages" className="-mx-1 flex grow flex-col gap-5 overflow-y-auto px-1">
        <Group label={organization.name}>
          {items.map((item) => <NavLink key={item.to} {...item} params={{ tenant: organization.slug }} exact={item.to === '/t/$tenant'} onGo={onGo} />)}
        </Group>
        {operator && <Group label="Operations">{operatorItems.map((item) => <NavLink key={item.to} {...item} onGo={onGo} />)}</Group>}
      </nav>
      <UserMenu onGo={onGo} />
    </div>
  );
}

function Group({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <p className="mb-1 truncate px-2 text-[11px] font-semibold tracking-wider text-muted uppercase">{label}</p>
      <ul className="flex flex-col gap-px">{children}</ul>
    </div>
  );
}

function NavLink({ to, label, icon: Icon, params, exact = false, onGo }: { to: string; label: string; icon: React.ComponentType<{ className?: string }>; params?: Record<string, string>; exact?: boolean; onGo?: () => void }) {
  return (
    <li>
      <Link to={to} params={params as never} activeOptions={{ exact, includeSearch: false }} onClick={onGo}
        className="flex items-center gap-2.5 rounded-lg px-2 py-1.5 text-sm font-medium text-muted hover:bg-sunken hover:text-ink"
        activeProps={{ className: 'bg-accent-soft !text-accent-ink' }}>
        <Icon className="size-4 shrink-0" aria-hidden />{label}
      </Link>
    </li>
  );
}
