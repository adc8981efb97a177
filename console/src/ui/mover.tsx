import { ChevronDown, ChevronUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { IconButton } from './button';

/**
 * Moves a row one place up or down. Moves that are asked for while one is under way are done after it, and the button that was pressed keeps
 * the focus, though its row has gone elsewhere.
 */
export function Mover({ name, first, last, move }: { name: string; first: boolean; last: boolean; move: (by: -1 | 1) => Promise<unknown> }) {
  const up = useRef<HTMLButtonElement>(null);
  const down = useRef<HTMLButtonElement>(null);
  const under = useRef<Promise<unknown>>(Promise.resolve());
  const [done, setDone] = useState<{ by: -1 | 1 }>();
  useEffect(() => {
    if (!done) return;
    const [wanted, other] = done.by === -1 ? [up, down] : [down, up];
    (wanted.current?.disabled ? other : wanted).current?.focus();
  }, [done]);
  const ask = (by: -1 | 1) => { under.current = under.current.then(() => move(by)).then(() => setDone({ by }), () => {}); };
  return (
    <span className="inline-flex">
      <IconButton ref={up} label={`Move ${name} up`} className="!size-7" disabled={first} onClick={() => ask(-1)}><ChevronUp className="size-4" aria-hidden /></IconButton>
      <IconButton ref={down} label={`Move ${name} down`} className="!size-7" disabled={last} onClick={() => ask(1)}><ChevronDown className="size-4" aria-hidden /></IconButton>
    </span>
  );
}
