import clsx from 'clsx';

export interface Segment { value: string; label: string; count?: number }

/** One choice among few, each with how many there are of it; '' is all of them. */
export function Segments({ label, value, options, onChange }: { label: string; value: string; options: Segment[]; onChange: (value: string) => void }) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap gap-2">
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}
          className={clsx('inline-flex h-9 items-center gap-2 rounded-lg border px-3 text-sm font-medium transition select-none',
            option.value === value ? 'border-transparent bg-accent-soft text-accent-ink' : 'border-line bg-surface text-muted hover:border-line-strong hover:text-ink')}>
          {option.label}
          {option.count !== undefined && <span className="tabular-nums font-semibold text-ink">{option.count.toLocaleString('en')}</span>}
        </button>
      ))}
    </div>
  );
}
