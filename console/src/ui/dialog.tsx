import clsx from 'clsx';
import { AlertDialog, Dialog as Radix } from 'radix-ui';
import { X } from 'lucide-react';
import { useState, type FormEvent, type ReactNode } from 'react';
import { refusedFields } from '../api/refusal';
import { Button } from './button';
import { Field, Input } from './field';
import { Problem } from './state';

const overlay = 'fixed inset-0 z-40 bg-black/40 backdrop-blur-[1px]';
const pane = 'fixed left-1/2 top-1/2 z-50 max-h-[90dvh] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-card border border-line bg-raised p-5 shadow-raised focus:outline-none';

/** A window over the page. `children` are made when it opens, and forgotten when it closes. */
export function Dialog({ trigger, title, description, children, wide, open, onOpenChange }: {
  trigger?: ReactNode; title: string; description?: ReactNode; wide?: boolean; open?: boolean; onOpenChange?: (open: boolean) => void;
  children: ReactNode | ((close: () => void) => ReactNode);
}) {
  const [own, setOwn] = useState(false);
  const set = onOpenChange ?? setOwn;
  return (
    <Radix.Root open={open ?? own} onOpenChange={set}>
      {trigger && <Radix.Trigger asChild>{trigger}</Radix.Trigger>}
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content className={clsx(pane, wide ? 'max-w-3xl' : 'max-w-md')} {...(description ? {} : { 'aria-describedby': undefined })}>
          <div className="mb-4 pr-8">
            <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
            {description && <Radix.Description className="mt-1 text-sm text-muted">{description}</Radix.Description>}
          </div>
          {typeof children === 'function' ? children(() => set(false)) : children}
          <Radix.Close className="absolute right-3 top-3 inline-flex size-8 items-center justify-center rounded-lg text-muted hover:bg-sunken hover:text-ink" aria-label="Close"><X className="size-4" aria-hidden /></Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/**
 * Asks before something is done that is not simply undone. `consequence` says what will happen. It stays open, and says why, when that
 * fails.
 */
export function Confirm({ trigger, title, consequence, action, danger = true, wide, reason, typed, onConfirm, open, onOpenChange, children }: {
  trigger?: ReactNode; title: string; consequence: ReactNode; action: string; danger?: boolean; wide?: boolean;
  /** Asks why, for the audit log. */
  reason?: 'optional' | 'required';
  /** What must be typed before it can be done. */
  typed?: string;
  onConfirm: (reason: string) => Promise<unknown>;
  open?: boolean; onOpenChange?: (open: boolean) => void;
  /** What else is to be said or chosen. */
  children?: ReactNode;
}) {
  const [own, setOwn] = useState(false);
  const set = onOpenChange ?? setOwn;
  return (
    <AlertDialog.Root open={open ?? own} onOpenChange={set}>
      {trigger && <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>}
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={overlay} />
        <AlertDialog.Content className={clsx(pane, wide ? 'max-w-3xl' : 'max-w-md')}>
          <AlertDialog.Title className="text-base font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild><div className="mt-1.5 text-sm text-muted">{consequence}</div></AlertDialog.Description>
          <ConfirmForm {...{ action, danger, reason, typed, onConfirm }} close={() => set(false)}>{children}</ConfirmForm>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function ConfirmForm({ action, danger, reason, typed, onConfirm, close, children }: {
  action: string; danger: boolean; reason?: 'optional' | 'required'; typed?: string; onConfirm: (reason: string) => Promise<unknown>; close: () => void; children?: ReactNode;
}) {
  const [why, setWhy] = useState('');
  const [name, setName] = useState('');
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<Error>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setPending(true);
    try {
      await onConfirm(why.trim());
      close();
    } catch (cause) {
      setError(cause as Error);
      setPending(false);
    }
  };
  const wrong = reason && refusedFields(error).reason;
  const ready = (reason !== 'required' || why.trim() !== '') && (typed === undefined || name === typed);
  return (
    <form onSubmit={submit} className="mt-4 flex flex-col gap-4">
      {reason && <Field label={reason === 'required' ? 'Reason' : 'Reason (optional)'} hint="It is kept in the audit log." error={wrong}>{(p) => <Input {...p} value={why} onChange={(e) => setWhy(e.target.value)} maxLength={500} autoFocus />}</Field>}
      {children}
      {typed !== undefined && <Field label={`Type ${typed} to go on`}>{(p) => <Input {...p} value={name} onChange={(e) => setName(e.target.value)} autoComplete="off" spellCheck={false} />}</Field>}
      {error && !wrong && <div className="rounded-lg border border-line"><Problem error={error} /></div>}
      <div className="flex justify-end gap-2">
        <AlertDialog.Cancel asChild><Button>Cancel</Button></AlertDialog.Cancel>
        <Button type="submit" variant={danger ? 'danger' : 'primary'} disabled={!ready} pending={pending}>{action}</Button>
      </div>
    </form>
  );
}
