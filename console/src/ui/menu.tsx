import { Ellipsis } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import clsx from 'clsx';
import type { ReactNode } from 'react';

export const menuClass = 'z-50 min-w-48 rounded-card border border-line bg-raised p-1 text-sm shadow-raised';
export const menuItemClass = 'flex cursor-default items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none select-none data-[highlighted]:bg-sunken data-[disabled]:opacity-50';

/** What can be done with a row; `label` names the row. */
export function RowMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="inline-flex size-8 items-center justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink" aria-label={`Actions for ${label}`}><Ellipsis className="size-4" aria-hidden /></DropdownMenu.Trigger>
      <DropdownMenu.Portal><DropdownMenu.Content align="end" sideOffset={4} className={menuClass}>{children}</DropdownMenu.Content></DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem({ danger, onSelect, disabled, children }: { danger?: boolean; onSelect: () => void; disabled?: boolean; children: ReactNode }) {
  return <DropdownMenu.Item disabled={disabled} onSelect={onSelect} className={clsx(menuItemClass, danger && 'text-bad')}>{children}</DropdownMenu.Item>;
}
