// Names for what src/schema.ts generates.
import type { components, operations } from './schema.js';

type Schemas = components['schemas'];

/** What an admin may set up of their tenant. */
export type TenantConfiguration = Schemas['TenantConfiguration'];
/** A JSON Merge Patch of a {@link TenantConfiguration}: objects are merged, null removes, anything else replaces. */
export type TenantConfigurationPatch = operations['patchTenantConfig']['requestBody']['content']['application/json'];
/** A tenant's configuration as it is stored. */
export type ConfigurationRow = Omit<Schemas['ConfigurationRow'], keyof TenantConfiguration> & TenantConfiguration;

/** Who the caller is, which tenants are theirs, and how the one they act in is set up. */
export type TenantContext = Omit<Schemas['ContextAnswer'], 'config'> & { config: ContextConfig };
/** How the tenant is set up: its configuration, its apps, and its flags before any rule is applied. */
export type ContextConfig = Omit<Schemas['ContextConfig'], keyof TenantConfiguration> & TenantConfiguration;
/** The signed in user. */
export type User = Schemas['ContextUser'];
/** The tenant acted in. */
export type Organization = Schemas['OrganizationBrief'];
/** A tenant the user is a member of. */
export type Tenant = Schemas['ContextTenant'];
/** What the user is in the tenant; null for a super admin from elsewhere. */
export type Membership = Schemas['ContextMembership'];
/** A role in a tenant. */
export type Role = Membership['role'];
/** An application of the tenant. */
export type App = Schemas['ContextApp'];

/** A flag as a tenant has it. */
export type FeatureRow = Schemas['FeatureRow'];
/** An agent's assignment to a tenant. */
export type AssignmentRow = Schemas['AssignmentRow'];
/** A tenant as it is stored. */
export type OrganizationRow = Schemas['OrganizationRow'];
/** A move in a tenant's life. */
export type LifecycleAction = Schemas['LifecycleMove']['action'];
/** A place of a document that is not what it must be, as a JSON pointer. */
export type Fault = Schemas['Fault'];

/** What a flag can be worth. */
export type FlagValue = boolean | string | number | { [key: string]: unknown } | unknown[];

/** What a flag is worth to the caller, and why; `value` is missing where the caller's own default holds. */
export interface Evaluation {
  key: string;
  value?: FlagValue;
  variant?: string;
  reason?: string;
  metadata?: Record<string, string | number | boolean>;
  errorCode?: string;
  errorDetails?: string;
}
