import type { Fault } from './types.js';

/** What a {@link VitalError} is made of. */
export interface VitalErrorInit {
  code: string;
  message: string;
  hint?: string;
  status?: number;
  requestId?: string;
  retryAfter?: number;
  errors?: Fault[];
  cause?: unknown;
}

/**
 * Why something was not done. Read `hint` first: it names the next step.
 *
 * Beside the server's codes (docs/reference/errors.md) there are those of this client: `network` and `timeout` (no answer came),
 * `session_changed` and `tenant_switched` (the answer would belong to a user or tenant that was left), `url_elsewhere` (the token would
 * go to another server), and `http_…` (something between here and the server answered).
 */
export class VitalError extends Error {
  override readonly name: string = 'VitalError';
  /** Stable, for programs. */
  readonly code: string;
  /** The next step, for people. */
  readonly hint: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Give it to the operator: it stands in the server's log. */
  readonly requestId: string | undefined;
  /** Seconds to wait before another try, where the server says so. */
  readonly retryAfter: number | undefined;
  /** Each place of a document that is not what it must be. */
  readonly errors: readonly Fault[];

  constructor(init: VitalErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.hint = init.hint ?? '';
    this.status = init.status ?? 0;
    this.requestId = init.requestId;
    this.retryAfter = init.retryAfter;
    this.errors = init.errors ?? [];
  }

  /** Whether the same may go well another time: no answer came, or one that says so. */
  get transient(): boolean {
    return this.status === 0 ? this.code === 'network' || this.code === 'timeout' : [408, 429, 502, 503, 504].includes(this.status);
  }
}

/** The error a response tells of, in whichever of VITAL's shapes: a problem's, OpenFeature's, or a proxy's page. */
export function errorOf(response: Response, text: string): VitalError {
  const told = parsed(text);
  const own = typeof told?.code === 'string';
  return new VitalError({
    code: own ? String(told.code) : `http_${response.status}`,
    message: String(told?.title ?? told?.message ?? told?.errorDetails ?? `The answer was ${response.status} ${response.statusText}`.trim()),
    hint: own ? String(told.hint ?? '') : 'The answer is none of VITAL: check the url, and what lies between here and the server.',
    status: response.status,
    requestId: response.headers.get('X-Request-Id') ?? undefined,
    retryAfter: retryAfterOf(response.headers.get('Retry-After')),
    errors: Array.isArray(told?.errors) ? told.errors as Fault[] : [],
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** Retry-After is in seconds, or a date. */
function retryAfterOf(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
