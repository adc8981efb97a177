import clsx from 'clsx';
import type { ReactNode } from 'react';
import { exact } from '../../ui/time';
import { milliseconds } from '../../ui/units';
import { Result, took, type Load } from './loads';
import { useNames } from './scope';

/** What was done for a load: `code` where it failed. */
export interface Step { step: string; duration_us: number; rows?: number; code?: string }

const isStep = (value: unknown): value is Step => typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'string' && 'duration_us' in value && typeof value.duration_us === 'number';

/** The steps of a load in order, and behind them what of its time is none of theirs. */
export function stepsOf(load: Load): Step[] {
  const recorded: unknown[] = Array.isArray(load.steps) ? load.steps : [];
  const steps = recorded.filter(isStep);
  const rest = 1000 * (took(load) ?? 0) - steps.reduce((sum, { duration_us }) => sum + duration_us, 0);
  return steps.length > 0 && rest >= 1 ? [...steps, { step: 'everything else', duration_us: rest }] : steps;
}

/** All that was recorded of a load. */
export function LoadDetails({ load, slug }: { load: Load; slug: string | undefined }) {
  const emails = useNames('users', [load.user_id]);
  const steps = stepsOf(load);
  return (
    <div className="flex flex-col gap-5">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 text-sm sm:grid-cols-3">
        <Fact name="Result"><Result load={load} /></Fact>
        <Fact name="Time">{milliseconds(took(load))}</Fact>
        <Fact name="Rows">{load.rows_returned?.toLocaleString('en') ?? '–'}</Fact>
        <Fact name="When">{exact.format(new Date(load.created_at))}</Fact>
        <Fact name="For">{load.user_id ? emails.get(load.user_id) ?? <code className="text-xs break-all">{load.user_id}</code> : 'nobody'}{slug && <span className="text-muted"> in {slug}</span>}</Fact>
        <Fact name="Request"><code className="text-xs break-all">{load.request_id || '–'}</code></Fact>
      </dl>
      <section>
        <h3 className="mb-2 text-xs font-semibold text-muted">Steps</h3>
        {steps.length > 0 ? <Waterfall steps={steps} /> : <p className="text-sm text-muted">Steps are recorded of loads that fail or are slow.</p>}
      </section>
      {load.request_id && <p className="text-xs text-muted"><code>vital perf why {load.request_id}</code> tells an operator what was changed before it, and whom else it met.</p>}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div className="min-w-0"><dt className="text-xs font-medium text-muted">{name}</dt><dd className="mt-0.5 break-words">{children}</dd></div>;
}

/** Each step as a bar that begins where the one before ends. */
function Waterfall({ steps }: { steps: Step[] }) {
  const all = steps.reduce((sum, { duration_us }) => sum + duration_us, 0);
  let ended = 0;
  return (
    <ol className="flex flex-col divide-y divide-line rounded-lg border border-line">
      {steps.map(({ step, duration_us, rows, code }, at) => {
        const begins = ended;
        ended += duration_us;
        return (
          <li key={at} className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 px-3 py-2 text-xs sm:grid-cols-[minmax(0,13rem)_minmax(0,1fr)_5rem]">
            <span className="min-w-0 font-mono break-words">{step}{code && <span className="ml-2 font-semibold text-bad">{code}</span>}{rows !== undefined && <span className="ml-2 text-muted">{rows.toLocaleString('en')} {rows === 1 ? 'row' : 'rows'}</span>}</span>
            <span className="text-right tabular-nums sm:order-last">{milliseconds(duration_us / 1000)}</span>
            <svg aria-hidden viewBox="0 0 100 1" preserveAspectRatio="none" className="col-span-2 block h-2.5 w-full rounded bg-sunken sm:col-span-1">
              <rect x={100 * begins / all} width={Math.max(0.6, 100 * duration_us / all)} height="1" className={clsx('fill-current', code ? 'text-bad' : step === 'everything else' ? 'text-line-strong' : 'text-accent')} />
            </svg>
          </li>
        );
      })}
    </ol>
  );
}
