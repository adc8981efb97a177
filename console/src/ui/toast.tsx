import { Toast as Radix } from 'radix-ui';
import { CircleCheck, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';

interface Message { id: number; text: string }

let messages: readonly Message[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Message[]): void {
  messages = next;
  for (const listener of listeners) listener();
}

/** Says that something was done. What failed is said where it was asked for. */
export function toast(text: string): void {
  set([...messages.slice(-2), { id: ++last, text }]);
}

export function clearToasts(): void {
  if (messages.length > 0) set([]);
}

export function Toasts() {
  const shown = useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => messages);
  return (
    <Radix.Provider duration={4000}>
      {shown.map(({ id, text }) => (
        <Radix.Root key={id} onOpenChange={(open) => { if (!open) set(messages.filter((m) => m.id !== id)); }}
          className="flex items-center gap-2.5 rounded-card border border-line bg-raised px-4 py-3 text-sm shadow-raised">
          <CircleCheck className="size-4 shrink-0 text-ok" aria-hidden />
          <Radix.Description className="grow">{text}</Radix.Description>
          <Radix.Close aria-label="Dismiss" className="text-muted hover:text-ink"><X className="size-4" aria-hidden /></Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2" />
    </Radix.Provider>
  );
}
