import type { CallOptions, Core, WriteOptions, Written } from './core.js';
import type { Evaluation, FeatureRow, FlagValue } from './types.js';

/** What an evaluation of flags takes. */
export interface EvaluateOptions extends CallOptions {
  /** Attributes for the rules, `targetingKey` among them. Tenant and member are the server's to say. */
  context?: Record<string, unknown>;
  /**
   * Whether it counts as use: `false` where somebody only looks at what flags are worth, as a console does, so that the review of flags still
   * finds those that no application asks for. Defaults to true. What they are worth is the same.
   */
  counted?: boolean;
}

/**
 * Feature flags. What a flag is worth comes from OFREP, where rules, variants, prerequisites and the tenant's override are applied;
 * `features` of a context only says what is switched on before them.
 */
export class Features {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** What every flag is worth to the caller, by key. One request; a repetition is sent again only when something has changed. */
  async all({ context = {}, counted = true, ...options }: EvaluateOptions = {}): Promise<Record<string, Evaluation>> {
    const headers = counted ? undefined : { 'Vital-Purpose': 'preview' };
    const { flags } = await this.#core.read<{ flags: Evaluation[] }>({ method: 'POST', path: '/ofrep/v1/evaluate/flags', body: { context }, headers }, options);
    return Object.fromEntries(flags.map((flag) => [flag.key, flag]));
  }

  /** What one flag is worth; `fallback` where it has no value of that type. That the server cannot be reached is an error. */
  async get<T extends FlagValue>(key: string, fallback: T, options: EvaluateOptions = {}): Promise<Widened<T>> {
    return valueOf((await this.all(options))[key], fallback);
  }

  /** Switches a flag on or off for the tenant; null goes back to its default. For admins. */
  toggle(key: string, enabled: boolean | null, { config, ...options }: WriteOptions & { config?: Record<string, unknown> } = {}): Promise<Written<FeatureRow>> {
    return this.#core.write('POST', '/features/toggle', { flag_key: key, enabled, config, reason: options.reason }, options);
  }
}

/** `false` as a fallback stands for any boolean, and so on. */
export type Widened<T> = T extends boolean ? boolean : T extends string ? string : T extends number ? number : T;

/** The value of an evaluation, where it is of the fallback's type. */
export function valueOf<T extends FlagValue>(evaluation: Evaluation | undefined, fallback: T): Widened<T> {
  const value = evaluation?.value;
  const fits = value !== undefined && typeof value === typeof fallback && Array.isArray(value) === Array.isArray(fallback);
  return (fits ? value : fallback) as Widened<T>;
}
