// Feature flags, as their pages speak of them.
import type { Database, Json } from '@vital-db/client';
import type { Tone } from '../../ui/badge';

type Tables = Database['public']['Tables'];
export type Flag = Tables['feature_flags']['Row'];
export type Override = Tables['tenant_feature_flags']['Row'];
export interface Prerequisite { flag_key: string; variants: string[] }

export const types = ['boolean', 'string', 'number', 'object'] as const;
/** What of an override, and of a definition, changes: the rest are keys, numbers and times. */
export const overrideFields = ['enabled', 'variant', 'config', 'expires_at'] as const;
export const definitionFields = ['name', 'description', 'flag_type', 'default_enabled', 'variants', 'default_variant', 'targeting', 'is_active', 'category', 'owner', 'tags', 'expires_at', 'metadata', 'prerequisites'] as const;

type Valued = Pick<Flag, 'flag_type' | 'variants'>;
const implied: [string, Json][] = [['on', true], ['off', false]];

/** The variants of a flag and what they are worth. A boolean one without any has on and off. */
export function variantsOf({ flag_type, variants }: Valued): [string, Json][] {
  const own = Object.entries(asObject(variants)) as [string, Json][];
  return own.length === 0 && flag_type === 'boolean' ? implied : own;
}

/** The variant a flag has where nothing else decides; null where it has none. */
export function defaultOf(flag: Valued & Pick<Flag, 'default_variant' | 'default_enabled'>): string | null {
  if (flag.default_variant !== null) return flag.default_variant;
  return flag.flag_type === 'boolean' && Object.keys(asObject(flag.variants)).length === 0 ? (flag.default_enabled ? 'on' : 'off') : null;
}

const colours = ['accent', 'info', 'ok', 'warn', 'bad'] as const;

/** The colour of a variant in pictures, the same in all of them; what is none of the flag's is grey. */
export function colourOf(names: string[], variant: string): (typeof colours)[number] | 'muted' {
  const at = names.indexOf(variant);
  return at < 0 ? 'muted' : colours[at % colours.length]!;
}

export function prerequisitesOf({ prerequisites }: Pick<Flag, 'prerequisites'>): Prerequisite[] {
  return (Array.isArray(prerequisites) ? prerequisites : []).map(asObject).map(({ flag_key, variants }) => ({ flag_key: String(flag_key), variants: (Array.isArray(variants) ? variants : []).map(String) }));
}

export function isOver({ expires_at }: { expires_at: string | null }): boolean {
  return expires_at !== null && Date.parse(expires_at) <= Date.now();
}

export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {};
}

/** Those members of an object; undefined where there is no object. */
export function picked(value: unknown, fields: readonly string[]): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(fields.map((field) => [field, asObject(value)[field] ?? null]));
}

/** A value on one line. */
export function short(value: unknown): string {
  return value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
}

/** Why a flag is worth what it is. */
export const reasons: Record<string, { label: string; tone: Tone; means: string }> = {
  STATIC: { label: 'default', tone: 'neutral', means: 'It has no rule: the default variant holds.' },
  DEFAULT: { label: 'default', tone: 'neutral', means: 'The rule leaves it to the default variant.' },
  TARGETING_MATCH: { label: 'rule', tone: 'info', means: 'The rule decided.' },
  OVERRIDE: { label: 'override', tone: 'accent', means: 'The override of this tenant decided.' },
  DISABLED: { label: 'disabled', tone: 'neutral', means: 'It is switched off: the default in the application’s code holds.' },
  PREREQUISITE_FAILED: { label: 'prerequisite', tone: 'warn', means: 'A flag that it needs has not the value it needs.' },
  ERROR: { label: 'error', tone: 'bad', means: 'It could not be evaluated: the default in the application’s code holds.' },
};

/** An input's local time of a moment, and back. */
export function localTime(at: string | null): string {
  if (!at) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function momentOf(local: string): string | null {
  return local === '' ? null : new Date(local).toISOString();
}

/** What was typed as JSON; throws what is wrong with it. */
export function parsed(text: string, what: string, kind: 'object' | 'array' = 'object'): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new Error(`${what} must be JSON: ${(error as Error).message}`);
  }
  if (kind === 'array' ? !Array.isArray(value) : typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} must be a JSON ${kind}.`);
  return value;
}
