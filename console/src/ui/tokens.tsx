import { X } from 'lucide-react';
import { useId, useRef, useState, type KeyboardEvent } from 'react';
import { Button } from './button';
import { Field, Input } from './field';

/** A set of words: each can be taken out, and others be put in. */
export function Tokens({ label, hint, error, values, set, placeholder }: { label: string; hint?: string; error?: string; values: string[]; set: (values: string[]) => void; placeholder?: string }) {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const add = () => {
    const word = text.trim();
    if (word && !values.includes(word)) set([...values, word]);
    setText('');
  };
  const enter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    add();
  };
  const take = (word: string) => {
    set(values.filter((other) => other !== word));
    input.current?.focus();
  };
  return (
    <div className="flex flex-col gap-2">
      <Field label={label} hint={hint} error={error}>
        {(p) => <div className="flex gap-2"><Input {...p} ref={input} value={text} placeholder={placeholder} onChange={(event) => setText(event.target.value)} onKeyDown={enter} onBlur={add} /><Button onClick={add} disabled={!text.trim()}>Add</Button></div>}
      </Field>
      {values.length > 0 && (
        <ul id={list} aria-label={label} className="flex flex-wrap gap-1.5">
          {values.map((word) => (
            <li key={word} className="inline-flex max-w-full items-center gap-1 rounded-full border border-line bg-sunken py-0.5 pr-1 pl-2.5 text-xs font-medium">
              <span className="truncate">{word}</span>
              <button type="button" aria-label={`Remove ${word}`} onClick={() => take(word)} className="grid size-5 place-items-center rounded-full text-muted hover:bg-line hover:text-ink"><X className="size-3" aria-hidden /></button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
