// Lists whose order people choose: each row has a number, and those are read by it.

export interface Ordered { id: string; display_order: number }

/**
 * What to number anew so that a row comes one place earlier (-1) or later (1). `rows` are all of the list, as they stand. Where the numbers say
 * the order without doubt two rows change places; where some are alike they are counted from 1. Each step on the way is a list, too.
 */
export function moved(rows: readonly Ordered[], id: string, by: -1 | 1): Ordered[] {
  const from = rows.findIndex((row) => row.id === id);
  const to = from + by;
  if (from < 0 || to < 0 || to >= rows.length) return [];
  const next = [...rows];
  [next[from], next[to]] = [next[to]!, next[from]!];
  const clear = rows.every((row, place) => place === 0 || row.display_order > rows[place - 1]!.display_order);
  return next.map((row, place) => ({ id: row.id, display_order: clear ? rows[place]!.display_order : place + 1 }))
    .filter((row, place) => row.display_order !== next[place]!.display_order);
}

/** Where a row comes that is moved so, counted from 1, and among how many. */
export function placeOf(rows: readonly Ordered[], id: string, by: -1 | 1): { place: number; of: number } {
  const from = rows.findIndex((row) => row.id === id);
  return { place: Math.min(rows.length, Math.max(1, from + by + 1)), of: rows.length };
}
