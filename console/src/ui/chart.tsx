import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import { clockTime } from './time';

/** One line of a chart: `colour` is a name of styles.css. */
export interface Series { label: string; colour: 'accent' | 'ok' | 'warn' | 'bad' | 'info' | 'muted'; values: (number | null)[]; fill?: boolean }

/**
 * Lines over time. `at` are seconds since 1970, ascending; `format` prints a value with its unit. `summary` says in words what the picture
 * shows, for those who do not see it.
 */
export function Chart({ at, series, format = String, height = 200, summary, logarithmic }: {
  at: number[]; series: Series[]; format?: (value: number) => string; height?: number; summary: string; logarithmic?: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(null);
  const latest = useRef({ at, series });
  const shape = series.map(({ label, colour, fill }) => `${label} ${colour} ${fill}`).join();
  useEffect(() => {
    const target = place.current!;
    const draw = () => { drawn.current = new uPlot(options({ series: latest.current.series, format, height, width: target.clientWidth, logarithmic }), dataOf(latest.current), target); };
    latest.current = { at, series };
    draw();
    const resized = new ResizeObserver(() => { if (target.clientWidth !== drawn.current!.width) drawn.current!.setSize({ width: target.clientWidth, height }); });
    resized.observe(target);
    const themed = new MutationObserver(() => { drawn.current!.destroy(); draw(); });
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => { resized.disconnect(); themed.disconnect(); drawn.current!.destroy(); };
  }, [shape, format, height, logarithmic]); // eslint-disable-line react-hooks/exhaustive-deps -- other values of the same lines are no other chart
  useEffect(() => {
    if (latest.current.series === series && latest.current.at === at) return;
    latest.current = { at, series };
    drawn.current!.setData(dataOf(latest.current));
  }, [at, series]);
  return <div ref={place} role="img" aria-label={summary} className="w-full text-xs [&_.uplot]:!font-sans [&_.u-legend]:!text-xs [&_.u-legend]:text-muted [&_.u-legend_th]:!font-medium" />;
}

/** What the time axis shows at least, in seconds: a few points are a minute of which little is known yet, not the years around them. */
const leastSpan = 60;

/** From the first point to the last, and back from the last where those are close together. What uPlot makes of a single one is not asked. */
function span({ data: [at] }: uPlot): [number, number] {
  const end = at.at(-1) ?? Date.now() / 1000;
  return [Math.min(at[0] ?? end, end - leastSpan), end];
}

/** When a point was: its day only where there are several. */
function pointed({ data: [at] }: uPlot, when: number | null): string {
  if (when === null) return '–';
  return (at.at(-1)! - at[0]! > 86_400 ? dayClock : clockTime).format(when * 1000);
}

/** Says below the chart what was last, unless something is pointed at. */
function tellLast(plot: uPlot): void {
  if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) return;
  const [at, ...lines] = plot.data;
  const last = lines.reduce((latest, values) => Math.max(latest, [...values].findLastIndex((value) => value !== null)), -1);
  plot.setLegend({ idx: last < 0 ? Math.max(0, at.length - 1) : last }, false);
}

function dataOf({ at, series }: { at: number[]; series: Series[] }): uPlot.AlignedData {
  return [at, ...series.map((s) => s.values)];
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayClock = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** Times below the axis, as exact as they are far apart; the date where a day begins. */
function times(_u: uPlot, ticks: number[], _axis: number, _space: number, apart: number): string[] {
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    if (apart >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) return day.format(at);
    return (apart < 60 ? clockTime : clock).format(at);
  });
}

/** A line of one or two values is hard to see without its points. */
function isSparse(plot: uPlot, line: number): boolean {
  return [...plot.data[line]!].filter((value) => value !== null).length < 3;
}

function options({ series, format, height, width, logarithmic }: { series: Series[]; format: (value: number) => string; height: number; width: number; logarithmic?: boolean }): uPlot.Options {
  const styles = getComputedStyle(document.documentElement);
  const colour = (name: string) => styles.getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '11px Inter Variable, sans-serif' };
  const told = (value: number | null) => (value === null ? '–' : format(value));
  return {
    width, height, cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { range: span }, y: { range: logarithmic ? undefined : (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1], distr: logarithmic ? 3 : 1 } },
    axes: [{ ...axis, values: times, space: 80, size: 28 }, { ...axis, size: 64, values: (_u, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))) }],
    hooks: { ready: [tellLast], setData: [tellLast], setCursor: [tellLast] },
    series: [{ label: 'Time', value: pointed }, ...series.map((s): uPlot.Series => ({
      label: s.label, stroke: colour(s.colour), width: 1.75, spanGaps: false, points: { show: isSparse },
      fill: s.fill ? `${colour(s.colour)}22` : undefined, value: (_u, value) => told(value),
    }))],
  };
}
