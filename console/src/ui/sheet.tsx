import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useRef, type ReactNode } from 'react';

/** A window at the side of the page, about one thing on it; on small screens over all of it. */
export function Sheet({ title, description, children, open, onOpenChange }: {
  title: ReactNode; description?: ReactNode; children: ReactNode; open: boolean; onOpenChange: (open: boolean) => void;
}) {
  const before = useRef<Element>(null); // what opened it is not a trigger of its own, and has the focus again when it closes
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Radix.Content className="fixed inset-y-0 right-0 z-50 flex w-[38rem] max-w-full flex-col border-l border-line bg-raised shadow-raised focus:outline-none"
          onOpenAutoFocus={(event) => { event.preventDefault(); before.current = document.activeElement; (event.currentTarget as HTMLElement).focus(); }}
          onCloseAutoFocus={(event) => { event.preventDefault(); if (before.current instanceof HTMLElement) before.current.focus(); }} {...(description ? {} : { 'aria-describedby': undefined })}>
          <header className="border-b border-line px-5 py-4 pr-14">
            <Radix.Title className="text-base font-semibold break-words">{title}</Radix.Title>
            {description && <Radix.Description asChild><div className="mt-1 text-sm text-muted">{description}</div></Radix.Description>}
          </header>
          <div className="flex grow flex-col gap-6 overflow-y-auto px-5 py-4">{children}</div>
          <Radix.Close className="absolute right-3 top-3 inline-flex size-8 items-center justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink" aria-label="Close"><X className="size-4" aria-hidden /></Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
