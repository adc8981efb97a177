// A tenant's configuration as a form has it: one entry for each thing that can be set, as text where it is written. What was changed is found by
// comparing two of these, and what others changed meanwhile by comparing a third.
import type { Fault, TenantConfiguration, TenantConfigurationPatch } from '@vital-db/client';
import { jsonObject, jsonText } from '../../../ui/json';

export interface Draft {
  theme: string; primary_color: string; logo_url: string; ui_custom: string;
  enabled_features: string[]; enabled_agent_tiers: number[];
  max_agents: string; max_conversations: string; requests_per_second: string; concurrent_requests: string; limits_custom: string;
  hipaa_enabled: boolean; gdpr_enabled: boolean; compliance_custom: string;
}

export type FieldName = keyof Draft;

/** Of each field: what it is called, and where its value stands in the configuration. */
export const fields: { [Name in FieldName]: { label: string; path: [Part] | [Part, string] } } = {
  theme: { label: 'Theme', path: ['ui_config', 'theme'] },
  primary_color: { label: 'Primary colour', path: ['ui_config', 'primary_color'] },
  logo_url: { label: 'Logo', path: ['ui_config', 'logo_url'] },
  ui_custom: { label: 'Further settings of the look', path: ['ui_config', 'custom'] },
  enabled_features: { label: 'Enabled features', path: ['enabled_features'] },
  enabled_agent_tiers: { label: 'Agent tiers', path: ['enabled_agent_tiers'] },
  max_agents: { label: 'Agents assigned', path: ['limits', 'max_agents'] },
  max_conversations: { label: 'Conversations', path: ['limits', 'max_conversations'] },
  requests_per_second: { label: 'Requests a second', path: ['limits', 'requests_per_second'] },
  concurrent_requests: { label: 'Requests at a time', path: ['limits', 'concurrent_requests'] },
  limits_custom: { label: 'Further limits', path: ['limits', 'custom'] },
  hipaa_enabled: { label: 'HIPAA', path: ['compliance_settings', 'hipaa_enabled'] },
  gdpr_enabled: { label: 'GDPR', path: ['compliance_settings', 'gdpr_enabled'] },
  compliance_custom: { label: 'Further settings of compliance', path: ['compliance_settings', 'custom'] },
};

type Part = 'ui_config' | 'limits' | 'compliance_settings' | 'enabled_features' | 'enabled_agent_tiers';

export const names = Object.keys(fields) as FieldName[];

export function draftOf({ ui_config: ui, limits, compliance_settings: compliance, enabled_features, enabled_agent_tiers }: TenantConfiguration): Draft {
  const number = (value: number | undefined) => (value === undefined ? '' : String(value));
  return {
    theme: ui.theme ?? '', primary_color: ui.primary_color ?? '', logo_url: ui.logo_url ?? '', ui_custom: jsonText(ui.custom),
    enabled_features, enabled_agent_tiers: [...enabled_agent_tiers].sort((a, b) => a - b),
    max_agents: number(limits.max_agents), max_conversations: number(limits.max_conversations),
    requests_per_second: number(limits.requests_per_second), concurrent_requests: number(limits.concurrent_requests), limits_custom: jsonText(limits.custom),
    hipaa_enabled: compliance.hipaa_enabled ?? false, gdpr_enabled: compliance.gdpr_enabled ?? false, compliance_custom: jsonText(compliance.custom),
  };
}

const same = (a: Draft[FieldName], b: Draft[FieldName]) => JSON.stringify(a) === JSON.stringify(b);

/** The fields in which two differ. */
export function differences(a: Draft, b: Draft): FieldName[] {
  return names.filter((name) => !same(a[name], b[name]));
}

/** What others made of it with what was changed here on top: where both changed the same, what was changed here stands. */
export function merged(base: Draft, mine: Draft, theirs: Draft): Draft {
  return { ...theirs, ...Object.fromEntries(differences(base, mine).map((name) => [name, mine[name]])) };
}

/** What is wrong that the server cannot be told: text that is neither a number nor JSON. */
export function unsayable(draft: Draft): Partial<Record<FieldName, string>> {
  const wrong: Partial<Record<FieldName, string>> = {};
  for (const name of ['max_agents', 'max_conversations', 'requests_per_second', 'concurrent_requests'] as const) {
    if (draft[name].trim() !== '' && !/^-?\d+(\.\d+)?$/.test(draft[name].trim())) wrong[name] = 'Must be a number, or empty for no limit.';
  }
  for (const name of ['ui_custom', 'limits_custom', 'compliance_custom'] as const) {
    const { value, error } = jsonObject(draft[name]);
    if (error) wrong[name] = error;
    else if (hasNull(value)) wrong[name] = 'Nothing can be kept as null: leave the key out.';
  }
  return wrong;
}

/** The patch that makes one into the other. Merging would keep what a free object has lost, so what is gone from it is named. */
export function patchOf(base: Draft, draft: Draft): TenantConfigurationPatch {
  const patch: { [part: string]: unknown } = {};
  for (const name of differences(base, draft)) {
    const [part, key] = fields[name].path;
    const value = valueOf(name, base, draft);
    patch[part] = key === undefined ? value : { ...(patch[part] as object | undefined), [key]: value };
  }
  return patch;
}

function valueOf(name: FieldName, base: Draft, draft: Draft): unknown {
  switch (name) {
    case 'enabled_features': case 'enabled_agent_tiers': case 'hipaa_enabled': case 'gdpr_enabled':
      return draft[name];
    case 'ui_custom': case 'limits_custom': case 'compliance_custom':
      return draft[name].trim() === '' ? null : replacing(jsonObject(base[name]).value, jsonObject(draft[name]).value);
    case 'max_agents': case 'max_conversations': case 'requests_per_second': case 'concurrent_requests':
      return draft[name].trim() === '' ? null : Number(draft[name]);
    default:
      return draft[name].trim() === '' ? null : draft[name].trim();
  }
}

/** A merge patch (RFC 7396) that turns an object into another: nulls take away what the other has not. */
function replacing(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return to;
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key)).map((key) => [key, null]);
  return Object.fromEntries([...gone, ...Object.entries(to).map(([key, value]) => [key, replacing(Object.hasOwn(from, key) ? from[key] : undefined, value)])]);
}

/** Whether a null is among an object's members, where a merge patch would take it for "away with it". */
function hasNull(value: unknown): boolean {
  return value === null || (isObject(value) && Object.values(value).some(hasNull));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the server found wrong, by field; what stands in none of these is said by itself. */
export function placed(faults: readonly Fault[]): { at: Partial<Record<FieldName, string>>; elsewhere: Fault[] } {
  const at: Partial<Record<FieldName, string>> = {};
  const elsewhere: Fault[] = [];
  for (const fault of faults) {
    const name = names.find((name) => fault.path === place(name) || fault.path.startsWith(`${place(name)}/`));
    if (!name) elsewhere.push(fault);
    else at[name] = at[name] ?? `${fault.path.slice(place(name).length + 1)} ${fault.message}`.trim();
  }
  return { at, elsewhere };
}

const place = (name: FieldName) => `/${fields[name].path.join('/')}`;

/** A value in words. */
export function said(value: Draft[FieldName]): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const text = Array.isArray(value) ? value.join(', ') : value.replace(/\s+/g, ' ').trim();
  return text === '' ? 'nothing' : text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
