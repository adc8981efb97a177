'use client';
export { FeatureGate, RequireRole } from './gates.js';
export { useApps, useFeature, useFeatureDetails, useRole, useTenant, useTenantSwitch, useUser, type FeatureDetails } from './hooks.js';
export { TenantAuthProvider, useTenantAuth, useVital, vitalKey, type Problem, type TenantAuthProviderProps } from './provider.js';
export type { TenantAuthState } from './state.js';
