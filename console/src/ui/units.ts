// Measures, as people read them. What was not measured is a dash.

type Measured = number | null | undefined;

const scales: [number, string][] = [[1024 ** 3, 'GiB'], [1024 ** 2, 'MiB'], [1024, 'KiB']];

/** "1.5 MiB". */
export function bytes(value: number): string {
  const [scale, unit] = scales.find(([scale]) => value >= scale) ?? [1, 'B'];
  return `${digits(value / scale)} ${unit}`;
}

/** "1.2 ms", "1.23 s", "2.5 min", of seconds. */
export function duration(seconds: Measured): string {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds >= 60) return `${digits(seconds / 60)} min`;
  return seconds >= 1 ? `${digits(seconds)} s` : `${digits(seconds * 1000)} ms`;
}

/** As {@link duration}, of milliseconds. */
export const milliseconds = (ms: Measured): string => duration(ms && ms / 1000);

/** "98.5 %", of a part of one. Only all of it is 100 %, and only nothing is 0 %. */
export function percent(part: Measured): string {
  if (part === null || part === undefined) return '–';
  const value = part > 0.999 && part < 1 ? 0.999 : part > 0 && part < 0.001 ? 0.001 : part;
  return `${(value * 100).toLocaleString('en', { maximumFractionDigits: 1 })} %`;
}

/** As {@link percent}, of a part of a hundred. */
export const ofHundred = (rate: Measured): string => percent(rate && rate / 100);

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** As {@link whole}, and of very many not more than says something: "1.2M". */
export const count = (n: number): string => n.toLocaleString('en', n >= 100_000 ? { notation: 'compact', maximumFractionDigits: 1 } : {});

/** With no more figures than say something. */
export function digits(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 });
}
