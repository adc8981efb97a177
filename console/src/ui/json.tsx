import type { Json as JsonValue } from '@vital-db/client';
import { Field, TextArea } from './field';

/** A value as JSON. */
export function Json({ value, label }: { value: unknown; label?: string }) {
  return <pre tabIndex={0} aria-label={label} className="max-h-96 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs leading-relaxed">{JSON.stringify(value, null, 2)}</pre>;
}

export type JsonObject = { [key: string]: JsonValue | undefined };

/** What a text says as one JSON object, or what is wrong with it; nothing is an empty one. */
export function jsonObject(text: string): { value: JsonObject; error?: undefined } | { value?: undefined; error: string } {
  if (text.trim() === '') return { value: {} };
  try {
    const value = JSON.parse(text) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { value } : { error: 'Must be one JSON object: { "key": "value" }.' };
  } catch (cause) {
    return { error: `This is not JSON: ${(cause as Error).message}` };
  }
}

/** An object as it is edited; an empty one is nothing. */
export function jsonText(value: unknown): string {
  return value === undefined || value === null || Object.keys(value).length === 0 ? '' : JSON.stringify(value, null, 2);
}

/** Where one JSON object is written. What is wrong with it is said beside it, at once; `error` is what somebody else has to say of it. */
export function JsonField({ label, hint, error, value, set }: { label: string; hint?: string; error?: string; value: string; set: (value: string) => void }) {
  return (
    <Field label={label} hint={hint} error={error ?? jsonObject(value).error}>
      {(p) => <TextArea {...p} rows={Math.min(16, Math.max(2, value.split('\n').length))} spellCheck={false} placeholder="{ }" className="font-mono text-xs leading-relaxed" value={value} onChange={(event) => set(event.target.value)} />}
    </Field>
  );
}
