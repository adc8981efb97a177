import clsx from 'clsx';
import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';

export type Variant = 'primary' | 'secondary' | 'ghost' | 'danger';

const variants: Record<Variant, string> = {
  primary: 'bg-accent text-on-accent hover:brightness-110 border-transparent shadow-sm',
  secondary: 'bg-surface text-ink border-line-strong hover:bg-sunken',
  ghost: 'bg-transparent text-muted border-transparent hover:bg-sunken hover:text-ink',
  danger: 'bg-bad text-on-accent border-transparent hover:brightness-110 shadow-sm',
};

/** How a button looks, for links that look like one. */
export function buttonClass(variant: Variant = 'secondary', size: 'small' | 'medium' = 'medium'): string {
  return clsx(
    'inline-flex items-center justify-center gap-1.5 rounded-lg border font-medium whitespace-nowrap transition select-none disabled:opacity-50 disabled:pointer-events-none',
    size === 'small' ? 'h-7 px-2 text-xs' : 'h-9 px-3 text-sm', variants[variant],
  );
}

interface ButtonProps extends ComponentProps<'button'> {
  variant?: Variant;
  size?: 'small' | 'medium';
  icon?: ReactNode;
  /** What it began is still being done: it turns, and cannot be pressed. */
  pending?: boolean;
}

export function Button({ variant, size, icon, pending, children, className, disabled, ...props }: ButtonProps) {
  return (
    <button type="button" {...props} disabled={disabled || pending} aria-busy={pending || undefined} className={clsx(buttonClass(variant, size), className)}>
      {pending ? <LoaderCircle className="size-4 animate-spin" aria-hidden /> : icon}
      {children}
    </button>
  );
}

/** A button that shows an icon alone; `label` is what it does. */
export function IconButton({ label, className, ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button type="button" aria-label={label} title={label} {...props}
      className={clsx('inline-flex size-8 items-center justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink disabled:opacity-40 disabled:pointer-events-none', className)} />
  );
}
