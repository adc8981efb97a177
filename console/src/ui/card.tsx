import clsx from 'clsx';
import { useId, type ReactNode } from 'react';

/** A part of a page. */
export function Card({ title, description, actions, children, className, flush }: {
  title?: ReactNode; description?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string;
  /** Without space around the contents: for tables. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <section aria-labelledby={title ? id : undefined} data-titled={title ? '' : undefined} className={clsx('min-w-0 rounded-card border border-line bg-surface shadow-card', className)}>
      {(title || actions) && (
        <header className={clsx('flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-4 pt-4 pb-3', !flush && 'sm:px-5')}>
          <div className="min-w-0">
            <h2 id={id} className="text-sm font-semibold">{title}</h2>
            {description && <p className="mt-0.5 text-xs text-muted">{description}</p>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={flush ? undefined : clsx('px-4 pb-4 sm:px-5 sm:pb-5', !title && !actions && 'pt-4 sm:pt-5')}>{children}</div>
    </section>
  );
}

/** One figure. */
export function Stat({ label, value, unit, note, tone }: { label: string; value: ReactNode; unit?: string; note?: ReactNode; tone?: 'ok' | 'warn' | 'bad' }) {
  return (
    <div className="relative min-w-0 rounded-card border border-line bg-surface px-4 py-3.5 shadow-card has-[a:hover]:border-line-strong">
      <dt className="truncate text-xs font-medium text-muted">{label}</dt>
      <dd className="mt-1 flex flex-wrap items-baseline gap-x-1.5">
        <span className={clsx('text-2xl font-semibold tracking-tight tabular-nums', tone && { ok: 'text-ok', warn: 'text-warn', bad: 'text-bad' }[tone])}>{value}</span>
        {unit && <span className="text-sm text-muted">{unit}</span>}
        {note && <span className="basis-full truncate text-xs text-muted">{note}</span>}
      </dd>
    </div>
  );
}

/** A row of figures. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-3 md:grid-cols-4">{children}</dl>;
}

/** How much of a limit is used. */
export function Meter({ label, used, allowed, more }: {
  label: string; used: number; allowed: number | null;
  /** There are more than `used`: counting ended there. */
  more?: boolean;
}) {
  const part = allowed === null ? 0 : allowed === 0 ? 1 : Math.min(1, used / allowed);
  const tone = part >= 1 ? 'bg-bad' : part >= 0.8 ? 'bg-warn' : 'bg-accent';
  return (
    <div>
      <div className="flex items-baseline justify-between gap-3 text-sm">
        <span>{label}</span>
        <span className="tabular-nums text-muted"><b className="font-semibold text-ink">{used.toLocaleString('en')}{more && '+'}</b> {allowed === null ? 'no limit' : `of ${allowed.toLocaleString('en')}`}</span>
      </div>
      <svg className="mt-1.5 block h-1.5 w-full overflow-hidden rounded-full bg-sunken" viewBox="0 0 100 1" preserveAspectRatio="none" role="img"
        aria-label={allowed === null ? `${label}: no limit` : `${label}: ${Math.round(part * 100)} % used`}>
        <rect width={part * 100} height="1" className={clsx('fill-current', tone.replace('bg-', 'text-'))} />
      </svg>
    </div>
  );
}

/** What is known of a thing: a name and what it is, below each other. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm">{children}</dl>;
}

export function Fact({ label, wide, children }: { label: string; wide?: boolean; children: ReactNode }) {
  return <div className={clsx('min-w-0', wide && 'col-span-full')}><dt className="text-xs text-muted">{label}</dt><dd className="mt-0.5 font-medium break-words">{children}</dd></div>;
}
