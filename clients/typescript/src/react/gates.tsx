import type { ReactNode } from 'react';
import type { Role } from '../types.js';
import { useFeatureDetails, useRole } from './hooks.js';

/** Shows children while a boolean flag is on. */
export function FeatureGate({ feature, children, fallback = null, loading = fallback }: {
  feature: string;
  children: ReactNode;
  /** While it is off, unknown or cannot be had. */
  fallback?: ReactNode;
  /** Until it is known. Defaults to fallback. */
  loading?: ReactNode;
}): ReactNode {
  const { status, value } = useFeatureDetails(feature);
  if (status === 'loading') return loading;
  return value === true ? children : fallback;
}

/** Shows children to who has at least this role in the tenant. It hides, and protects nothing: the server does. */
export function RequireRole({ role, children, fallback = null }: { role: Role; children: ReactNode; fallback?: ReactNode }): ReactNode {
  return useRole(role) ? children : fallback;
}
