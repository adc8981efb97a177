import { VitalError } from '@vital-db/client';

/** What is wrong with one field of a form. */
export class FieldError extends Error {
  constructor(readonly field: string, message: string) {
    super(message);
  }
}

/**
 * Which of a form's fields the server refused, and why: functions of the database name their parameter (`p_slug must be …`), documents
 * the place (`/limits/max_agents`). Empty where the error is of no field; then it is shown whole.
 */
export function refusedFields(error: unknown): Record<string, string> {
  if (error instanceof FieldError) return { [error.field]: error.message };
  if (!(error instanceof VitalError)) return {};
  if (error.errors.length > 0) return Object.fromEntries(error.errors.map(({ path, message }) => [path.split('/').at(-1)!, sentence(message)]));
  const [, field, must] = /^p_(\w+) (must be .+)$/.exec(error.message) ?? [];
  return field && must ? { [field]: sentence(must) } : {};
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
