import type { Json } from '@vital-db/client';
import { useState } from 'react';
import { Field, Input, Select, TextArea } from '../../ui/field';
import { isOver, localTime, momentOf, parsed, prerequisitesOf, short, variantsOf, type Flag, type Override } from './model';

/** An override as it is typed. */
export interface Draft { enabled: string; variant: string; config: string; expires: string }
/** An override as it is sent. */
export type Changes = { enabled: boolean | null; variant: string | null; config: Json; expires_at: string | null };

/** What an override is to begin with; one that has run out begins afresh. */
export function draftOf(override: Override | undefined): Draft {
  if (!override || isOver(override)) return { enabled: '', variant: '', config: '', expires: '' };
  return {
    enabled: override.enabled === null ? '' : override.enabled ? 'on' : 'off', variant: override.variant ?? '',
    config: override.config === null ? '' : JSON.stringify(override.config, null, 2), expires: localTime(override.expires_at),
  };
}

/** What was typed; throws what is wrong with it. A time that was not touched keeps its seconds. */
export function changesOf(draft: Draft, override: Override | undefined): Changes {
  const untouched = override !== undefined && draft.expires === localTime(override.expires_at);
  return {
    enabled: draft.enabled === '' ? null : draft.enabled === 'on', variant: draft.variant || null,
    config: draft.config.trim() === '' ? null : parsed(draft.config, 'The settings'),
    expires_at: untouched ? override.expires_at : momentOf(draft.expires),
  };
}

export function useDraft(override: Override | undefined) {
  const [draft, setDraft] = useState(() => draftOf(override));
  return { draft, setDraft, change: (changes: Partial<Draft>) => setDraft((former) => ({ ...former, ...changes })) };
}

export function OverrideFields({ flag, draft, change }: { flag: Flag; draft: Draft; change: (changes: Partial<Draft>) => void }) {
  const variants = variantsOf(flag);
  const known = draft.variant === '' || variants.some(([name]) => name === draft.variant);
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Switch">{(p) => (
          <Select {...p} value={draft.enabled} onChange={(event) => change({ enabled: event.target.value })}>
            <option value="">not set</option><option value="on">on</option><option value="off">off</option>
          </Select>
        )}</Field>
        <Field label="Variant">{(p) => (
          <Select {...p} value={draft.variant} disabled={draft.enabled === 'off'} onChange={(event) => change({ variant: event.target.value })}>
            <option value="">not set</option>
            {!known && <option value={draft.variant}>{draft.variant} (no variant any more)</option>}
            {variants.map(([name, value]) => <option key={name} value={name}>{short(value) === name ? name : `${name}: ${short(value).slice(0, 60)}`}</option>)}
          </Select>
        )}</Field>
      </div>
      <p className="rounded-lg bg-sunken px-3 py-2 text-sm" aria-live="polite">{outcome(flag, draft)}{prerequisitesOf(flag).length > 0 && ' That is while what the flag needs is met.'}</p>
      <Field label="Ends" hint="In your time zone. Then the rule and the default hold again. Empty: it does not end.">{(p) => <Input {...p} type="datetime-local" value={draft.expires} onChange={(event) => change({ expires: event.target.value })} />}</Field>
      <Field label="Settings" hint="A JSON object for the application to read; empty for none.">{(p) => <TextArea {...p} rows={3} spellCheck={false} className="font-mono text-xs" value={draft.config} onChange={(event) => change({ config: event.target.value })} />}</Field>
    </>
  );
}

/** What an override comes to, while the flag's prerequisites are met. */
function outcome(flag: Flag, { enabled, variant }: Draft): string {
  if (enabled === 'off') return flag.flag_type === 'boolean' ? 'It is false for everybody in this tenant.' : 'It has no value in this tenant: the default in the application’s code holds.';
  const value = variantsOf(flag).find(([name]) => name === variant);
  if (value) return `Everybody in this tenant gets ${value[0]}${short(value[1]) === value[0] ? '' : `: ${short(value[1]).slice(0, 120)}`}.`;
  if (enabled === 'on' && flag.flag_type === 'boolean') return 'It is true for everybody in this tenant.';
  return 'The rule and the default decide, as without an override; only the settings are this tenant’s own.';
}
