import {
  ErrorCode, OpenFeatureEventEmitter, ProviderEvents, StandardResolutionReasons,
  type EvaluationContext, type JsonValue, type Provider, type ResolutionDetails,
} from '@openfeature/web-sdk';
import type { VitalClient } from './client.js';
import type { Evaluation } from './types.js';

/**
 * OpenFeature's web SDK, fed by the client of this page: its session, its tenant, its one stream of changes.
 *
 * ```ts
 * await OpenFeature.setProviderAndWait(new VitalProvider(vital), { targetingKey: user.id })
 * ```
 */
export class VitalProvider implements Provider {
  readonly metadata = { name: 'vital' } as const;
  readonly runsOn = 'client' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #client: VitalClient;
  #context: EvaluationContext = {};
  #flags: Record<string, Evaluation> = {};
  #stop: (() => void)[] = [];

  constructor(client: VitalClient) {
    this.#client = client;
  }

  async initialize(context: EvaluationContext = {}): Promise<void> {
    this.#stop = [
      this.#client.onChange((change) => { void (change.error ? this.#fail(change.error) : this.#reload()); }),
      this.#client.subscribe(() => this.#begin()),
    ];
    await this.onContextChange({}, context);
  }

  async onContextChange(_former: EvaluationContext, context: EvaluationContext): Promise<void> {
    this.#context = context;
    await this.#load();
  }

  async onClose(): Promise<void> {
    for (const stop of this.#stop.splice(0)) stop();
    this.#flags = {};
  }

  resolveBooleanEvaluation(key: string, fallback: boolean): ResolutionDetails<boolean> {
    return this.#resolve(key, fallback, (value) => typeof value === 'boolean');
  }

  resolveStringEvaluation(key: string, fallback: string): ResolutionDetails<string> {
    return this.#resolve(key, fallback, (value) => typeof value === 'string');
  }

  resolveNumberEvaluation(key: string, fallback: number): ResolutionDetails<number> {
    return this.#resolve(key, fallback, (value) => typeof value === 'number');
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T): ResolutionDetails<T> {
    return this.#resolve(key, fallback, (value) => typeof value === 'object');
  }

  /** Another user or tenant: nothing of the former is worth anything. */
  #begin(): void {
    this.#flags = {};
    this.events.emit(ProviderEvents.Stale, { message: 'user or tenant are others' });
    void this.#reload();
  }

  async #reload(): Promise<void> {
    try {
      const flagsChanged = await this.#load();
      this.events.emit(ProviderEvents.Ready);
      if (flagsChanged.length > 0) this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Evaluates all flags, and returns the keys of those that are worth something else now. */
  async #load(): Promise<string[]> {
    const at = this.#client.snapshot();
    const flags = await this.#client.features.all({ context: this.#context });
    if (at !== this.#client.snapshot()) return []; // of whom or what was left meanwhile
    const former = this.#flags;
    this.#flags = flags;
    return [...new Set([...Object.keys(former), ...Object.keys(flags)])].filter((key) => JSON.stringify(former[key]) !== JSON.stringify(flags[key]));
  }

  #fail(error: unknown): void {
    this.events.emit(ProviderEvents.Error, { message: error instanceof Error ? error.message : String(error) });
  }

  #resolve<T>(key: string, fallback: T, fits: (value: unknown) => boolean): ResolutionDetails<T> {
    const flag = this.#flags[key];
    if (!flag) return { value: fallback, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.FLAG_NOT_FOUND };
    if (flag.errorCode) return { value: fallback, reason: StandardResolutionReasons.ERROR, errorCode: flag.errorCode as ErrorCode, errorMessage: flag.errorDetails };
    if (flag.value === undefined) return { value: fallback, reason: flag.reason, variant: flag.variant, flagMetadata: flag.metadata };
    if (!fits(flag.value)) return { value: fallback, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.TYPE_MISMATCH };
    return { value: flag.value as T, reason: flag.reason, variant: flag.variant, flagMetadata: flag.metadata };
  }
}
