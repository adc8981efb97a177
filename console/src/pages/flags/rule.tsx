import clsx from 'clsx';
import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { Users } from 'lucide-react';
import { Fragment } from 'react';
import { told } from '../../api/answer';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Json } from '../../ui/json';
import { explain, type Outcome, type Step, type Token } from './logic';
import { colourOf } from './model';

const looks = { accent: 'text-accent', info: 'text-info', ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', muted: 'text-muted' };

/** A flag's rule in words and pictures; `names` are its variants, `fallback` its default, `current` the variant the rule has come to here. */
export function Rule({ targeting, names, fallback, current }: { targeting: unknown; names: string[]; fallback: string | null; current?: string }) {
  const steps = explain(targeting);
  if (steps.length === 0) return <p className="text-sm text-muted">There is no rule: everybody gets the default, {fallback === null ? 'which is the one in the application’s code' : <b className="font-medium text-ink">{fallback}</b>}.</p>;
  return (
    <div className="flex flex-col gap-4">
      <Steps steps={steps} fallback={fallback} current={current} names={names} />
      <Segments targeting={targeting} />
      <details className="text-sm"><summary className="text-muted hover:text-ink">As JSON</summary><div className="mt-2"><Json label="The rule as JSON" value={targeting} /></div></details>
    </div>
  );
}

interface Told { fallback: string | null; current: string | undefined; names: string[] }

function Steps({ steps, ...told }: Told & { steps: Step[] }) {
  return (
    <ol className="flex flex-col gap-2">
      {steps.map(({ when, then }, i) => (
        <li key={i} className="flex flex-col gap-2 rounded-lg border border-line px-3 py-2.5 text-sm">
          <p className="flex flex-wrap items-center gap-1.5 leading-relaxed">
            <span className="font-medium">{when ? (i === 0 ? 'If' : 'Else if') : steps.length === 1 ? 'Everybody' : 'Everybody else'}</span>
            {when?.map((token, n) => <Word key={n} {...token} />)}
            {then.kind !== 'split' && then.kind !== 'steps' && <><span aria-hidden className="text-muted">→</span><span className="sr-only">gets</span><Result outcome={then} {...told} /></>}
          </p>
          {(then.kind === 'split' || then.kind === 'steps') && <Result outcome={then} {...told} />}
        </li>
      ))}
    </ol>
  );
}

function Word({ kind, text }: Token) {
  if (kind === 'segment') return <Badge tone="accent"><Users className="size-3" aria-hidden />segment {text}</Badge>;
  if (kind === 'attribute') return <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs">{text}</code>;
  if (kind === 'value') return <code className="font-mono text-xs break-all text-accent-ink">{text}</code>;
  return <span className={clsx('text-muted', text === ',' && '-ml-1.5')}>{text}</span>;
}

function Result({ outcome, ...told }: Told & { outcome: Outcome }) {
  switch (outcome.kind) {
    case 'variant': return <Badge tone={outcome.name === told.current ? 'accent' : 'neutral'}>{outcome.name}</Badge>;
    case 'default': return <Badge>the default{told.fallback !== null && `: ${told.fallback}`}</Badge>;
    case 'steps': return <div className="pl-3"><Steps steps={outcome.steps} {...told} /></div>;
    case 'split': return <Split {...outcome} {...told} />;
    case 'logic': return <code className="font-mono text-xs break-all">{JSON.stringify(outcome.rule)}</code>;
  }
}

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 2 });

function Split({ by, parts, ...told }: Told & { by: string; parts: { outcome: Outcome; share: number }[] }) {
  const name = ({ outcome }: (typeof parts)[number]) => (outcome.kind === 'variant' ? outcome.name : outcome.kind === 'default' ? `default${told.fallback === null ? '' : `: ${told.fallback}`}` : 'by a rule');
  const colour = ({ outcome }: (typeof parts)[number]) => looks[colourOf(told.names, outcome.kind === 'variant' ? outcome.name : outcome.kind === 'default' ? told.fallback ?? '' : '')];
  let from = 0;
  return (
    <div className="flex flex-col gap-2">
      <p className="text-xs text-muted">split by {by}: the same one always gets the same</p>
      <svg viewBox="0 0 100 1" preserveAspectRatio="none" className="block h-3 w-full overflow-hidden rounded-full bg-sunken" role="img" aria-label={parts.map((part) => `${name(part)} ${percent.format(part.share)}`).join(', ')}>
        {parts.map((part, i) => {
          const x = from;
          from += part.share * 100;
          return <rect key={i} x={x} width={Math.max(0, part.share * 100 - (from < 99.99 ? 0.4 : 0))} height="1" className={clsx('fill-current', colour(part))} />;
        })}
      </svg>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {parts.map((part, i) => (
          <li key={i} className="inline-flex items-center gap-1.5">
            <svg viewBox="0 0 8 8" className={clsx('size-2', colour(part))} aria-hidden><rect width="8" height="8" rx="2" className="fill-current" /></svg>
            <span className="font-medium">{name(part)}</span><span className="text-muted tabular-nums">{percent.format(part.share)}</span>
            {part.outcome.kind === 'variant' && part.outcome.name === told.current && <Badge tone="accent">yours</Badge>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the segments mean that a rule names. */
function Segments({ targeting }: { targeting: unknown }) {
  const names = [...JSON.stringify(targeting).matchAll(/"\$ref":("(?:[^"\\]|\\.)*")/g)].map(([, name]) => JSON.parse(name!) as string);
  const wanted = [...new Set(names)].sort();
  const evaluators = useQuery({
    queryKey: [...vitalKey, 'evaluators', wanted], enabled: wanted.length > 0,
    queryFn: ({ signal }) => told(rest.from('feature_flag_evaluators').select('name,description,rule').in('name', wanted).order('name').abortSignal(signal)),
  });
  if (wanted.length === 0 || !evaluators.data) return null;
  return (
    <dl className="flex flex-col gap-2 text-sm">
      {wanted.map((name) => {
        const found = evaluators.data.find((evaluator) => evaluator.name === name);
        return (
          <div key={name} className="flex flex-wrap items-center gap-1.5">
            <dt><Word kind="segment" text={name} /></dt>
            <dd className="flex flex-wrap items-center gap-1.5">
              {found ? <><span className="text-muted">are those where</span>{conditionOf(found.rule)}{found.description && <span className="basis-full text-xs text-muted">{found.description}</span>}</> : <Badge tone="bad">there is none of this name</Badge>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function conditionOf(rule: unknown) {
  const [step] = explain({ if: [rule, true] });
  return step!.when!.map((token, i) => <Fragment key={i}><Word {...token} /></Fragment>);
}
