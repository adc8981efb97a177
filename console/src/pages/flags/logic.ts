// Rules of flags in words: JSON logic, as flagd extends it, read as steps of which the first that holds decides.
import { asObject } from './model';

/** A piece of a condition. */
export type Token = { kind: 'text' | 'attribute' | 'value' | 'segment'; text: string };
export type Outcome =
  | { kind: 'variant'; name: string }
  | { kind: 'default' }
  /** Some get one, some another: `by` is what decides who gets which. */
  | { kind: 'split'; by: string; parts: { outcome: Outcome; share: number }[] }
  | { kind: 'steps'; steps: Step[] }
  /** What has no simpler words. */
  | { kind: 'logic'; rule: unknown };
/** `when` is undefined for what is left. */
export interface Step { when: Token[] | undefined; then: Outcome }

export function explain(rule: unknown): Step[] {
  if (Object.keys(asObject(rule)).length === 0) return [];
  const outcome = outcomeOf(rule);
  return outcome.kind === 'steps' ? outcome.steps : [{ when: undefined, then: outcome }];
}

function outcomeOf(rule: unknown): Outcome {
  if (typeof rule === 'string' || typeof rule === 'boolean') return { kind: 'variant', name: String(rule) };
  if (rule === null) return { kind: 'default' };
  const [operator, argument] = operation(rule);
  if (operator === 'if' || operator === '?:') return { kind: 'steps', steps: stepsOf(list(argument)) };
  return (operator === 'fractional' && splitOf(list(argument))) || { kind: 'logic', rule };
}

function stepsOf(parts: unknown[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) steps.push({ when: condition(parts[i]), then: outcomeOf(parts[i + 1]) });
  const rest = parts.length % 2 === 1 ? outcomeOf(parts.at(-1)) : { kind: 'default' as const };
  return rest.kind === 'steps' ? [...steps, ...rest.steps] : [...steps, { when: undefined, then: rest }];
}

/** undefined where the weights are rules themselves. */
function splitOf(parts: unknown[]): Outcome | undefined {
  const keyed = parts.length > 0 && !Array.isArray(parts[0]);
  const buckets = (keyed ? parts.slice(1) : parts).map((bucket) => (Array.isArray(bucket) ? bucket as unknown[] : [bucket]));
  const weights = buckets.map(([, weight = 1]) => weight);
  if (!weights.every((weight): weight is number => typeof weight === 'number')) return undefined;
  const total = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  if (total === 0) return undefined;
  return { kind: 'split', by: keyed ? keyOf(parts[0]) : 'targeting key', parts: buckets.map(([result], i) => ({ outcome: outcomeOf(result), share: Math.max(0, weights[i]!) / total })) };
}

const keys: Record<string, string> = { 'tenant.id': 'tenant', 'tenant.slug': 'tenant', 'member.user_id': 'user', targetingKey: 'targeting key' };

/** What a split is by: the flag's own key only makes that not every flag chooses the same. */
function keyOf(rule: unknown): string {
  const names = [...new Set(attributes(rule))].filter((name) => name !== '$flagd.flagKey');
  return names.map((name) => keys[name] ?? name).join(' and ') || 'flag';
}

function attributes(rule: unknown): string[] {
  if (Array.isArray(rule)) return rule.flatMap(attributes);
  return Object.entries(asObject(rule)).flatMap(([operator, argument]) => (operator === 'var' ? [String(list(argument)[0])] : attributes(argument)));
}

const comparisons: Record<string, string> = { '==': 'is', '===': 'is', '!=': 'is not', '!==': 'is not', '<': '<', '<=': '≤', '>': '>', '>=': '≥', starts_with: 'starts with', ends_with: 'ends with' };
const text = (words: string): Token => ({ kind: 'text', text: words });

/** A condition in words. */
export function condition(rule: unknown, within = false): Token[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return [{ kind: 'value', text: JSON.stringify(rule) }];
  const [operator, argument] = operation(rule);
  const args = list(argument);
  if (operator === '$ref') return [{ kind: 'segment', text: String(argument) }];
  if (operator === 'var') return [{ kind: 'attribute', text: String(args[0]) }];
  if (operator === 'and' || operator === 'or') return bracketed(joined(args.map((part) => condition(part, true)), operator), within && args.length > 1);
  if (operator === '!') return [text('not'), ...condition(args[0], true)];
  if (operator === '!!') return condition(args[0], within);
  if (operator === 'in' && args.length === 2) return Array.isArray(args[1]) ? [...condition(args[0], true), text('is one of'), ...joined(args[1].map((value) => condition(value)), ',')] : [...condition(args[0], true), text('is in'), ...condition(args[1], true)];
  if (operator === 'sem_ver' && args.length === 3) return [text('version'), ...condition(args[0], true), text(comparisons[String(args[1])] ?? String(args[1])), ...condition(args[2], true)];
  if (comparisons[operator] && args.length === 2) return [...condition(args[0], true), text(comparisons[operator]), ...condition(args[1], true)];
  return [{ kind: 'value', text: JSON.stringify(rule) }];
}

function joined(parts: Token[][], word: string): Token[] {
  return parts.flatMap((part, i) => (i === 0 ? part : [text(word), ...part]));
}

function bracketed(tokens: Token[], needed: boolean): Token[] {
  return needed ? [text('('), ...tokens, text(')')] : tokens;
}

/** The operator of a rule and what it is applied to. */
function operation(rule: unknown): [string, unknown] {
  const entries = Object.entries(asObject(rule));
  return entries.length === 1 ? entries[0]! : ['', undefined];
}

/** One argument need not be in an array. */
function list(argument: unknown): unknown[] {
  return Array.isArray(argument) ? argument : [argument];
}
