export { createVitalClient, VitalClient, type Change, type VitalClientOptions } from './client.js';
export type { CallOptions, WriteOptions, Written } from './core.js';
export type { Database, Json } from './database.js';
export { VitalError, type VitalErrorInit } from './error.js';
export type { ContextEvent } from './events.js';
export type { EvaluateOptions, Features, Widened } from './features.js';
export type { TabStorage } from './scope.js';
export { fromSupabase, type Session, type SupabaseLike } from './supabase.js';
export type { Agents, AssignOptions, Configurations, Lifecycle } from './tenants.js';
export type {
  App, AssignmentRow, ConfigurationRow, TenantContext, ContextConfig, Evaluation, Fault, FeatureRow, FlagValue, LifecycleAction,
  Membership, Organization, OrganizationRow, Role, Tenant, TenantConfiguration, TenantConfigurationPatch, User,
} from './types.js';
