import { Badge } from '../../../ui/badge';
import { Field, Input } from '../../../ui/field';

/** A colour, chosen or written, and how text stands out on it. */
export function ColourField({ label, error, value, set }: { label: string; error?: string; value: string; set: (value: string) => void }) {
  const valid = /^#[0-9a-f]{6}$/i.test(value.trim());
  return (
    <div className="flex flex-col gap-3">
      <Field label={label} hint="As #RRGGBB." error={error}>
        {(p) => (
          <div className="flex gap-2">
            <input type="color" aria-label="Choose a colour" value={valid ? value.trim() : '#000000'} onChange={(event) => set(event.target.value.toUpperCase())} className="h-9 w-12 shrink-0 cursor-pointer rounded-lg border border-line-strong bg-surface p-1" />
            <Input {...p} value={value} onChange={(event) => set(event.target.value)} spellCheck={false} placeholder="#4F46E5" className="font-mono" />
          </div>
        )}
      </Field>
      {valid && <Preview colour={value.trim()} />}
    </div>
  );
}

function Preview({ colour }: { colour: string }) {
  return (
    <div className="overflow-hidden rounded-lg border border-line" role="group" aria-label="How text stands out on it">
      <div className="flex h-2" style={{ backgroundColor: colour }} aria-hidden />
      <div className="grid gap-2 p-3">
        {[{ ink: '#FFFFFF', name: 'White' }, { ink: '#111827', name: 'Dark' }].map(({ ink, name }) => {
          const ratio = contrast(colour, ink);
          return (
            <div key={ink} className="flex flex-wrap items-center gap-2">
              <svg aria-hidden viewBox="0 0 64 32" className="h-8 w-16 shrink-0"><rect width="64" height="32" rx="7" fill={colour} /><text x="32" y="21" textAnchor="middle" fill={ink} className="text-[14px] font-semibold">Aa Bb</text></svg>
              <span className="text-xs text-muted">{name} text, {ratio.toFixed(1)} to 1</span>
              <Badge tone={ratio >= 4.5 ? 'ok' : ratio >= 3 ? 'warn' : 'bad'}>{ratio >= 4.5 ? 'readable' : ratio >= 3 ? 'large text only' : 'hard to read'}</Badge>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** How much two colours (#RRGGBB) differ, from 1 to 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
