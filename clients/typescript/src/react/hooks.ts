import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { valueOf, type EvaluateOptions, type Widened } from '../features.js';
import type { App, ContextConfig, Evaluation, FlagValue, Membership, Organization, Role, Tenant, User } from '../types.js';
import { freshness, useTenantContext, useTenantAuth, useVital, vitalKey } from './provider.js';

/** The tenant acted in: who it is, how it is set up, and what the user is there (null for a super admin from elsewhere). */
export function useTenant(): { organization: Organization; config: ContextConfig; membership: Membership | null } {
  const { organization, config, membership } = useTenantContext();
  return useMemo(() => ({ organization, config, membership }), [organization, config, membership]);
}

/** The signed in user. */
export function useUser(): User {
  return useTenantContext().user;
}

/** The tenant's apps that are enabled and that its configuration lists, in their order. */
export function useApps(): App[] {
  const { apps, enabled_apps } = useTenantContext().config;
  return useMemo(() => apps.filter((app) => app.is_enabled && enabled_apps.includes(app.app_key)), [apps, enabled_apps]);
}

/** Whether the user has at least this role in the tenant. Super admins have every role. It decides what is shown; the server decides what is done. */
export function useRole(role: Role): boolean {
  const { user, membership } = useTenantContext();
  return user.role === 'super_admin' || (membership !== null && roles.indexOf(membership.role) >= roles.indexOf(role));
}

const roles: Role[] = ['viewer', 'member', 'admin', 'owner'];

/** What a flag is worth, and where that stands. */
export interface FeatureDetails extends Partial<Evaluation> {
  status: 'loading' | 'error' | 'ready';
  error: Error | null;
}

/**
 * What a flag is worth, with variant and reason. All flags of a page are one request, repeated when something has changed. A page that only
 * looks, and does nothing by it, says `counted: false`.
 */
export function useFeatureDetails(key: string, { counted = true }: Pick<EvaluateOptions, 'counted'> = {}): FeatureDetails {
  const client = useVital();
  const flags = useQuery({
    ...freshness, queryKey: [...vitalKey, 'features', { counted }], queryFn: ({ signal }) => client.features.all({ counted, signal }),
    retry: false, refetchOnWindowFocus: false,
  });
  const status = flags.data ? 'ready' : flags.error ? 'error' : 'loading';
  return { ...flags.data?.[key], status, error: flags.error };
}

/** What a flag is worth; `fallback` while it is loading, and where it has no value of that type. */
export function useFeature<T extends FlagValue>(key: string, fallback: T): Widened<T> {
  const { value } = useFeatureDetails(key);
  return valueOf({ key, value }, fallback);
}

/** The user's tenants, and a way into another; null is their default. It works in fallbacks, too: out of a suspended tenant, for one. */
export function useTenantSwitch(): { tenants: readonly Tenant[]; current: string | undefined; switchTenant: (tenant: string | null) => void } {
  const client = useVital();
  const state = useTenantAuth();
  const switchTenant = useCallback((tenant: string | null) => {
    client.switchTenant(tenant).catch(() => {}); // the provider shows why
  }, [client]);
  const context = state.status === 'ready' ? state.context : undefined;
  return { tenants: context?.tenants ?? client.tenants, current: context?.organization.id ?? client.tenant, switchTenant };
}
