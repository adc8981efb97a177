/** How long rows are kept, of an interval as the database writes it: "1 year 6 mons 12:00:00". */
export function kept(interval: string): string {
  const [clock, hours, minutes, seconds] = /(\d+):(\d+):(\d+)/.exec(interval) ?? [];
  const times = [[hours, 'hour'], [minutes, 'minute'], [seconds, 'second']] as const;
  const rest = times.filter(([n]) => Number(n) > 0).map(([n, unit]) => `${Number(n)} ${unit}${Number(n) === 1 ? '' : 's'}`);
  return [interval.replace(clock ?? '', '').replace(/\bmon(s?)\b/, 'month$1').trim(), ...rest].filter(Boolean).join(' ');
}
