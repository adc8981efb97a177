import { useUser } from '@vital-db/client/react';
import { Check, ChevronsUpDown, Download, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { MyData } from '../download/my-data';
import { signOut } from '../session/token';
import { Avatar } from '../ui/avatar';
import { menuClass, menuItemClass } from '../ui/menu';
import { useTheme, type Theme } from './theme';

const themes: { theme: Theme; label: string; icon: typeof Sun }[] = [
  { theme: 'light', label: 'Light', icon: Sun }, { theme: 'dark', label: 'Dark', icon: Moon }, { theme: 'system', label: 'As the system', icon: Monitor },
];

/** Who is signed in, how things look to them, and what is stored of them; `onGo` is told when that is on its way. */
export function UserMenu({ onGo }: { onGo?: () => void }) {
  const user = useUser();
  const [asked, setAsked] = useState(false);
  const [theme, setTheme] = useTheme();
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className="flex w-full items-center gap-2.5 rounded-lg px-2 py-1.5 text-left hover:bg-sunken">
          <Avatar name={user.full_name ?? user.email} />
          <span className="min-w-0 grow"><span className="block truncate text-sm font-medium">{user.full_name ?? user.email}</span><span className="block truncate text-xs text-muted">{user.email}</span><span className="sr-only">, your account</span></span>
          <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="start" sideOffset={6} className={menuClass}>
            <DropdownMenu.Label className="px-2.5 py-1 text-xs text-muted">Appearance</DropdownMenu.Label>
            <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => setTheme(value as Theme)}>
              {themes.map(({ theme: value, label, icon: Icon }) => (
                <DropdownMenu.RadioItem key={value} value={value} className={menuItemClass}>
                  <Icon className="size-4 text-muted" aria-hidden /><span className="grow">{label}</span><DropdownMenu.ItemIndicator><Check className="size-4" aria-hidden /></DropdownMenu.ItemIndicator>
                </DropdownMenu.RadioItem>
              ))}
            </DropdownMenu.RadioGroup>
            <DropdownMenu.Separator className="my-1 border-t border-line" />
            <DropdownMenu.Item className={menuItemClass} onSelect={() => setAsked(true)}><Download className="size-4 text-muted" aria-hidden />Download my data…</DropdownMenu.Item>
            <DropdownMenu.Item className={menuItemClass} onSelect={() => { void signOut(); }}><LogOut className="size-4 text-muted" aria-hidden />Sign out</DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <MyData open={asked} onOpenChange={setAsked} onBegun={onGo} />
    </>
  );
}
