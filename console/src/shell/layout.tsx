import { Outlet, useRouterState } from '@tanstack/react-router';
import { useTenantAuth } from '@vital-db/client/react';
import { Menu } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { DownloadTray } from '../download/tray';
import { Toasts } from '../ui/toast';
import { Brand } from './brand';
import { Entered } from './entered';
import { Sidebar } from './sidebar';

/** The frame of every page: the pages beside it, on small screens behind a button. */
export function Layout() {
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return; // what was loaded begins at its top, navigation included
    shown.current = path;
    document.getElementById('page')?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path]);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
      <a href="#page" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent">Skip to the page</a>
      <aside className="sticky top-0 hidden h-dvh border-r border-line bg-surface lg:block"><Sidebar /></aside>
      <header className="sticky top-0 z-30 flex h-14 items-center gap-3 border-b border-line bg-surface px-4 lg:hidden">
        <Dialog.Root open={open} onOpenChange={setOpen}>
          <Dialog.Trigger className="-ml-1.5 grid size-9 place-items-center rounded-lg text-muted hover:bg-sunken" aria-label="Open the menu"><Menu className="size-5" aria-hidden /></Dialog.Trigger>
          <Dialog.Portal>
            <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
            <Dialog.Content className="fixed inset-y-0 left-0 z-50 w-72 max-w-[85vw] border-r border-line bg-surface shadow-raised" aria-describedby={undefined}>
              <Dialog.Title className="sr-only">Menu</Dialog.Title>
              <Sidebar onGo={() => setOpen(false)} />
            </Dialog.Content>
          </Dialog.Portal>
        </Dialog.Root>
        <Brand />
      </header>
      <main id="page" tabIndex={-1} className="min-w-0 focus:outline-none">
        <DownloadTray />
        <Stale />
        <Entered />
        <Outlet />
      </main>
      <Toasts />
    </div>
  );
}

/** Says that what is shown could not be refreshed. */
function Stale() {
  const state = useTenantAuth();
  if (state.status !== 'ready' || !state.error) return null;
  return <p role="status" className="border-b border-line bg-warn-soft px-4 py-2 text-center text-sm text-warn">What you see may be out of date: {state.error.message} <button type="button" className="font-medium underline" onClick={state.retry}>Try again</button></p>;
}
