/** The first letters of a name. */
export function Avatar({ name }: { name: string }) {
  const letters = name.split(/[\s.@_-]+/).filter(Boolean).slice(0, 2).map((word) => word[0]!.toUpperCase()).join('');
  return <span aria-hidden className="grid size-8 shrink-0 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink">{letters}</span>;
}
