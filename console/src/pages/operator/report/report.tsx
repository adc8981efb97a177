import clsx from 'clsx';
import { Minus, TrendingDown, TrendingUp } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Chart, type Series } from '../../../ui/chart';
import { SoFar } from './so-far';
import { daysFrom, figure, gateTones, gateWords, spanOf, statusOf, trendOf, type Day, type KeptWeekly, type Metric, type Weekly } from './weekly';

/** One week, whole, or so far. */
export function WeeklyReport({ kept: { report, is_over: over, made_at: at }, actions }: { kept: KeptWeekly; actions: ReactNode }) {
  const { label, tone } = statusOf(report.status);
  return (
    <>
      <Card title={<span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-lg">{report.week}<Badge dot tone={tone}>{label}</Badge>{!over && <SoFar at={at} />}</span>} actions={actions}
        description={`${spanOf(report)} · phase ${report.phase.phase}, ${report.phase.name}`}>
        <Lines items={report.reasons} none="Nothing stands against it: every gate of the phase that is measured is passed, and no figure became notably worse." />
      </Card>
      <dl className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-3">{report.metrics.map((metric) => <MetricCard key={metric.name} metric={metric} />)}</dl>
      <Days from={report.from} days={report.days ?? []} />
      <Card title="Blockers" description="What keeps the phase from being over.">
        {report.blockers?.length ? (
          <ul className="flex flex-col divide-y divide-line text-sm">
            {report.blockers.map(({ gate, what, evidence, next }) => <li key={gate} className="py-2.5 first:pt-0 last:pb-0"><p className="font-medium">{what}</p><p className="text-muted">{evidence}</p><p className="text-muted">Next: {next}</p></li>)}
          </ul>
        ) : <p className="text-sm text-muted">None.</p>}
      </Card>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Card title="Accomplishments"><Lines items={report.accomplishments} none="None were measured." /></Card>
        <Card title="Next week"><Lines items={report.plan} none="Nothing is due." /></Card>
      </div>
      <Risks risks={report.risks} />
    </>
  );
}

function Lines({ items, none }: { items: string[] | null; none: string }) {
  if (!items?.length) return <p className="text-sm text-muted">{none}</p>;
  return <ul className="flex list-disc flex-col gap-1 pl-4 text-sm marker:text-muted">{items.map((item) => <li key={item} className="break-words">{item}</li>)}</ul>;
}

function MetricCard({ metric }: { metric: Metric }) {
  return (
    <div className="min-w-0 rounded-card border border-line bg-surface px-4 py-3.5 shadow-card">
      <dt className="flex items-start justify-between gap-2 text-xs font-medium text-muted">{metric.name}<Badge tone={gateTones[metric.status]}>{gateWords[metric.status]}</Badge></dt>
      <dd className="mt-1 flex flex-wrap items-baseline gap-x-1.5">
        <span className="text-2xl font-semibold tracking-tight tabular-nums">{metric.value === null ? '–' : figure(metric.value)}</span>
        {metric.value !== null && <span className="text-sm text-muted">{metric.unit}</span>}
        <span className="flex basis-full flex-wrap items-center gap-x-3 text-xs text-muted">Target {metric.target}<Trend metric={metric} /></span>
      </dd>
    </div>
  );
}

/** How a figure stands against the week before: the arrow says up or down, the words better or worse. */
function Trend({ metric }: { metric: Metric }) {
  const trend = trendOf(metric);
  if (!trend) return null;
  if (Math.abs(trend.part) < 0.005) return <span className="inline-flex items-center gap-1"><Minus className="size-3.5" aria-hidden />as before</span>;
  const Icon = trend.part > 0 ? TrendingUp : TrendingDown;
  return <span className={clsx('inline-flex items-center gap-1', trend.meaning && { better: 'text-ok', worse: 'text-bad' }[trend.meaning])}><Icon className="size-3.5" aria-hidden />{figure(Math.abs(trend.part) * 100)} % {trend.part > 0 ? 'more' : 'less'}{trend.meaning && `, ${trend.meaning}`}</span>;
}

type Line = Omit<Series, 'values'> & { of: (day: Day) => number | null };

const charts: { title: string; unit: string; lines: Line[] }[] = [
  { title: 'Time to load a context', unit: 'ms', lines: [{ label: '50 of 100', colour: 'ok', of: (d) => d.p50_ms }, { label: '95 of 100', colour: 'warn', of: (d) => d.p95_ms }, { label: '99 of 100', colour: 'bad', of: (d) => d.p99_ms }] },
  { title: 'Loads a day', unit: '', lines: [{ label: 'Loads', colour: 'accent', fill: true, of: (d) => d.loads }] },
  { title: 'Contexts answered from memory', unit: '%', lines: [{ label: 'From memory', colour: 'accent', of: (d) => d.cache_hit_rate }] },
  { title: 'Loads that failed', unit: '%', lines: [{ label: 'Failed', colour: 'bad', of: (d) => d.error_rate }] },
];

interface DaysOf { from: string; days: Day[] }

function Days(week: DaysOf) {
  return <div className="grid gap-5 lg:grid-cols-2">{charts.map((chart) => <DayChart key={chart.title} {...week} {...chart} />)}</div>;
}

/** Over the whole week: of days that have not come yet there is nothing to draw. */
function DayChart({ from, days, title, unit, lines }: DaysOf & { title: string; unit: string; lines: Line[] }) {
  const at = useMemo(() => daysFrom(from), [from]);
  const series = useMemo(() => lines.map(({ of, ...line }) => ({ ...line, values: at.map((_, n) => days[n] ? of(days[n]) : null) })), [at, days, lines]);
  const format = useMemo(() => (value: number) => `${figure(value)}${unit && ` ${unit}`}`, [unit]);
  const known = series.some(({ values }) => values.some((value) => value !== null));
  const summary = `${title}: ${series.map(({ label, values }) => `${label} ${values.slice(0, days.length).map((value) => (value === null ? 'none' : format(value))).join(', ')}`).join('; ')}`;
  return <Card title={title}>{known ? <Chart at={at} series={series} format={format} height={180} summary={summary} /> : <p className="text-sm text-muted">Nothing was measured.</p>}</Card>;
}

function Risks({ risks }: { risks: Weekly['risks'] }) {
  return (
    <Card title="Risks and mitigation">
      <ul className="flex flex-col divide-y divide-line text-sm">
        {risks.map(({ risk, likelihood, impact, mitigation, status, evidence }) => (
          <li key={risk} className="py-2.5 first:pt-0 last:pb-0">
            <p className="flex flex-wrap items-center gap-2 font-medium">{risk}<Badge tone={gateTones[status]}>{gateWords[status]}</Badge></p>
            <p className="text-muted">{mitigation}</p>
            <p className="text-xs text-muted">Likelihood {likelihood.toLowerCase()}, impact {impact.toLowerCase()}{evidence && ` · ${evidence}`}</p>
          </li>
        ))}
      </ul>
    </Card>
  );
}
