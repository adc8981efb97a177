// What is shown where there is nothing to show: while it loads, when it failed, and when there is none.
import { VitalError } from '@vital-db/client';
import clsx from 'clsx';
import { CircleAlert, Inbox } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './button';

/** A grey place for what is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={clsx('animate-pulse rounded-md bg-line/60', className)} />;
}

export function Loading({ label = 'Loading…', className = 'h-40' }: { label?: string; className?: string }) {
  return <div role="status" className="w-full"><span className="sr-only">{label}</span><Skeleton className={clsx('w-full', className)} /></div>;
}

/** That there is nothing, and what to do about it. In a part of a page that has a title it takes no more room than a few rows. */
export function Empty({ title, children, icon, action }: { title: string; children?: ReactNode; icon?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1.5 px-6 py-12 text-center in-data-titled:py-6">
      <span className="mb-1 grid size-11 place-items-center rounded-full bg-sunken text-muted in-data-titled:size-9 in-data-titled:[&_svg]:size-4" aria-hidden>{icon ?? <Inbox className="size-5" />}</span>
      <p className="font-medium">{title}</p>
      {children && <p className="max-w-prose text-sm text-muted">{children}</p>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** What went wrong, what to do next, and a way to try again. */
export function Problem({ error, retry, retrying, title }: { error: Error; retry?: () => void; retrying?: boolean; title?: string }) {
  const told = error instanceof VitalError ? error : undefined;
  return (
    <div role="alert" className="flex flex-col items-center gap-1.5 px-6 py-10 text-center in-data-titled:py-6">
      <span className="mb-1 grid size-11 place-items-center rounded-full bg-bad-soft text-bad" aria-hidden><CircleAlert className="size-5" /></span>
      <p className="font-medium">{title ?? error.message}</p>
      {title && <p className="max-w-prose text-sm">{error.message}</p>}
      {told?.hint && <p className="max-w-prose text-sm text-muted">{told.hint}</p>}
      {told && <p className="font-mono text-xs text-muted">{told.code}{told.requestId && ` · request ${told.requestId}`}</p>}
      {retry && <Button className="mt-2" onClick={retry} pending={retrying}>Try again</Button>}
    </div>
  );
}
