import { Check, Copy as Icon } from 'lucide-react';
import { useEffect, useState } from 'react';

/** A short text as programs need it, and a button that copies it. Where the browser keeps pages from the clipboard, it can be selected. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const end = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(end);
  }, [copied]);
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <span className="min-w-0 font-mono text-xs break-all select-all">{text}</span>
      {'clipboard' in navigator && (
        <button type="button" aria-label={copied ? `The ${label} was copied` : `Copy the ${label}`} className="grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-sunken hover:text-ink" onClick={() => { navigator.clipboard.writeText(text).then(() => setCopied(true), () => {}); }}>
          {copied ? <Check className="size-3.5 text-ok" aria-hidden /> : <Icon className="size-3.5" aria-hidden />}
        </button>
      )}
    </span>
  );
}
