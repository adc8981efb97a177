import { CircleAlert, CircleCheck, Download as Icon, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '../ui/button';
import { bytes } from '../ui/units';
import { dismiss, useDownloads, type Download } from './downloads';

/** What is being downloaded, and how it ended, over every page: it goes on while its user is elsewhere. */
export function DownloadTray() {
  const downloads = useDownloads();
  if (downloads.length === 0) return null;
  return (
    <ul aria-label="Downloads" className="sticky top-14 z-20 flex flex-col divide-y divide-line border-b border-line bg-raised shadow-card lg:top-0">
      {downloads.map((one) => <li key={one.id} className="relative flex items-center gap-3 px-4 py-2.5 text-sm sm:px-6 lg:px-8">{lines[one.state](one)}</li>)}
    </ul>
  );
}

/** How each state is told. */
const lines: Record<Download['state'], (download: Download) => ReactNode> = {
  receiving: ({ name, bytes: received, cancel }) => (
    <>
      <Icon className="size-4 shrink-0 text-accent-ink" aria-hidden />
      <p className="min-w-0 grow"><Name>{name}</Name><span className="block text-xs text-muted tabular-nums" data-bytes={received}>{received === 0 ? 'Waiting for the first bytes…' : `${bytes(received)} received so far`}</span></p>
      <Button size="small" className="shrink-0" onClick={cancel}>Cancel</Button>
      <span aria-hidden className="absolute inset-x-0 bottom-0 h-0.5 animate-pulse bg-accent" />
    </>
  ),
  done: ({ id, name, bytes: received }) => (
    <>
      <CircleCheck className="size-4 shrink-0 text-ok" aria-hidden />
      <p role="status" className="min-w-0 grow"><Name>{name}</Name><span className="block text-xs text-muted tabular-nums">Complete, {bytes(received)}</span></p>
      <Dismiss id={id} />
    </>
  ),
  failed: ({ id, name, error }) => (
    <>
      <CircleAlert className="size-4 shrink-0 text-bad" aria-hidden />
      <p role="alert" className="min-w-0 grow"><Name>{name}</Name><span className="block text-xs text-bad">{error?.message} {error?.hint}</span></p>
      <Dismiss id={id} />
    </>
  ),
};

function Name({ children }: { children: string }) {
  return <span className="block truncate font-medium">{children}</span>;
}

function Dismiss({ id }: { id: number }) {
  return <IconButton label="Dismiss" className="shrink-0" onClick={() => dismiss(id)}><X className="size-4" aria-hidden /></IconButton>;
}
