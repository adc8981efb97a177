import clsx from 'clsx';
import { useId, type ComponentProps, type ReactNode } from 'react';
import { Switch as Radix } from 'radix-ui';

const control = 'w-full rounded-lg border border-line-strong bg-surface px-3 text-sm text-ink placeholder:text-muted disabled:opacity-60 aria-invalid:border-bad';

/** What a control is called, what it wants, and what is wrong with what it has. */
export function Field({ label, hint, error, children, hidden }: {
  label: string; hint?: ReactNode; error?: string; hidden?: boolean;
  children: (control: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined }) => ReactNode;
}) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <label htmlFor={id} className={hidden ? 'sr-only' : 'text-sm font-medium'}>{label}</label>
      {children({ id, 'aria-describedby': note ? `${id}-note` : undefined, 'aria-invalid': error ? true : undefined })}
      {note && <p id={`${id}-note`} className={clsx('text-xs', error ? 'text-bad' : 'text-muted')}>{note}</p>}
    </div>
  );
}

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input {...props} className={clsx(control, 'h-9', className)} />;
}

export function TextArea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea rows={3} {...props} className={clsx(control, 'py-2', className)} />;
}

export function Select({ className, ...props }: ComponentProps<'select'>) {
  return <select {...props} className={clsx(control, 'h-9 pr-8', className)} />;
}

export function Switch({ label, ...props }: Omit<ComponentProps<typeof Radix.Root>, 'children'> & { label: string }) {
  return (
    <Radix.Root aria-label={label} {...props}
      className="relative inline-flex h-5 w-9 shrink-0 items-center rounded-full border border-transparent bg-line-strong transition-colors data-[state=checked]:bg-accent disabled:opacity-50">
      <Radix.Thumb className="block size-4 translate-x-px rounded-full bg-white shadow transition-transform data-[state=checked]:translate-x-[calc(1rem+0.5px)]" />
    </Radix.Root>
  );
}
