import type { Core, WriteOptions, Written } from './core.js';
import type { AssignmentRow, ConfigurationRow, LifecycleAction, OrganizationRow, TenantConfigurationPatch } from './types.js';

/** What a tenant is set up with. For its owners and admins. */
export class Configurations {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The stored configuration, with the `etag` for {@link update}. */
  get(options: Pick<WriteOptions, 'tenant' | 'signal'> = {}): Promise<Written<ConfigurationRow>> {
    return this.#core.write('PATCH', '/config', {}, options); // an empty patch changes nothing, and answers with the row
  }

  /** Merges a patch; with `ifMatch` only into the configuration that was read. */
  update(patch: TenantConfigurationPatch, options: WriteOptions & { ifMatch?: string } = {}): Promise<Written<ConfigurationRow>> {
    return this.#core.write('PATCH', '/config', patch, options);
  }
}

/** What an assignment takes. */
export interface AssignOptions extends WriteOptions {
  /** Who owns the agent; else the tenant's own agent by that id is meant, or the platform's. */
  agentTenant?: string;
  /** The tenant's settings of the agent. */
  config?: Record<string, unknown>;
}

/** Which agents a tenant has. For its owners and admins. */
export class Agents {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  assign(agent: string, { agentTenant, config, ...options }: AssignOptions = {}): Promise<Written<AssignmentRow>> {
    return this.#core.write('POST', '/agents/assign', { agent_id: agent, agent_tenant_id: agentTenant, config, reason: options.reason }, options);
  }

  unassign(agent: string, { agentTenant, ...options }: Omit<AssignOptions, 'config'> = {}): Promise<Written<AssignmentRow>> {
    return this.#core.write('POST', '/agents/assign', { agent_id: agent, agent_tenant_id: agentTenant, action: 'unassign', reason: options.reason }, options);
  }
}

/** A tenant's life: pending, active, suspended, archived. For super admins. */
export class Lifecycle {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Approves, activates, suspends or archives a tenant. A reason is needed, for the audit log. */
  move(action: LifecycleAction, { reason, ...options }: WriteOptions & { reason: string }): Promise<Written<OrganizationRow>> {
    return this.#core.write('POST', '/lifecycle', { action, reason }, options);
  }
}
