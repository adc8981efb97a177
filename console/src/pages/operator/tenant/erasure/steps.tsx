import clsx from 'clsx';
import { Check, Terminal } from 'lucide-react';
import { Copy } from '../../../../ui/copy';
import { Time } from '../../../../ui/time';
import type { Erasure } from './erasures';
import { actorOf, steps, type Step } from './standing';

/** What has happened at a step: when, and by whom. */
interface Done { at: string; by?: string }

const titles: Record<Step, string> = { request: 'Requested', approval: 'Approved', wait: 'Waiting time over', run: 'Erased' };

/** The steps of an erasure, those that were taken and that which comes next. */
export function Steps({ erasure, next, emails }: { erasure: Erasure; next: Step | undefined; emails: Record<string, string> }) {
  const taken: Record<Step, Done | undefined> = {
    request: { at: erasure.requested_at, by: actorOf(erasure.requested_by, emails) },
    approval: erasure.approved_at ? { at: erasure.approved_at, by: actorOf(erasure.approved_by, emails) } : undefined,
    wait: next === 'run' ? { at: erasure.not_before } : undefined,
    run: undefined, // by when the tenant and its page are gone
  };
  return (
    <ol className="grid gap-2 sm:grid-cols-2 xl:grid-cols-4">
      {steps.map((step) => (
        <li key={step} aria-current={step === next ? 'step' : undefined} className={clsx('min-w-0 rounded-lg border px-3 py-2', step === next ? 'border-accent bg-accent-soft' : 'border-line')}>
          <span className={clsx('flex items-center gap-1.5 text-sm font-semibold', step === next ? 'text-accent-ink' : taken[step] ? 'text-ink' : 'text-muted')}>
            {taken[step] && <Check className="size-4 shrink-0 text-ok" aria-label="Done:" />}{titles[step]}{step === next && <span className="text-xs font-normal"> · next</span>}
          </span>
          <span className="block text-xs text-muted wrap-anywhere"><Note step={step} taken={taken[step]} erasure={erasure} /></span>
        </li>
      ))}
    </ol>
  );
}

function Note({ step, taken, erasure }: { step: Step; taken: Done | undefined; erasure: Erasure }) {
  if (taken) return <><Time at={taken.at} />{taken.by && ` by ${taken.by}`}</>;
  if (step === 'wait') return <Time at={erasure.not_before} />;
  if (step === 'run') return erasure.started_at ? <>begun <Time at={erasure.started_at} /></> : 'with a certificate';
  return 'by another operator';
}

/** What is typed where this page cannot do it. */
export function Command({ text }: { text: string }) {
  return <span className="mt-1.5 flex w-fit max-w-full items-center gap-2 rounded-lg bg-sunken py-1 pr-1.5 pl-2.5 text-ink"><Terminal className="size-3.5 shrink-0 text-muted" aria-hidden /><Copy text={text} label="command" /></span>;
}
