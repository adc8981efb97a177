import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet } from '@tanstack/react-router';
import { useTenant, useUser } from '@vital-db/client/react';
import type { ComponentType } from 'react';
import { Layout } from './shell/layout';
import { NotFound } from './shell/not-found';
import { Page } from './ui/page';
import { Loading, Problem } from './ui/state';

const root = createRootRoute({ component: Layout, notFoundComponent: NotFound });

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home });
const tenant = createRoute({ getParentRoute: () => root, path: '/t/$tenant', component: Outlet });
const operator = createRoute({ getParentRoute: () => root, path: '/operator', component: Operators });

/** A page, loaded when somebody goes there. */
function page<Module extends Record<Name, ComponentType>, Name extends string>(load: () => Promise<Module>, name: Name) {
  return lazyRouteComponent(load as never, name as never);
}

const tenantPages = [
  createRoute({ getParentRoute: () => tenant, path: '/', component: page(() => import('./pages/tenant/overview'), 'Overview') }),
  createRoute({ getParentRoute: () => tenant, path: '/members', component: page(() => import('./pages/tenant/members'), 'Members') }),
  createRoute({ getParentRoute: () => tenant, path: '/apps', component: page(() => import('./pages/tenant/apps'), 'Apps') }),
  createRoute({ getParentRoute: () => tenant, path: '/flags', component: page(() => import('./pages/tenant/flags'), 'Flags') }),
  createRoute({ getParentRoute: () => tenant, path: '/flags/$key', component: page(() => import('./pages/tenant/flag'), 'Flag') }),
  createRoute({ getParentRoute: () => tenant, path: '/agents', component: page(() => import('./pages/tenant/agents'), 'Agents') }),
  createRoute({ getParentRoute: () => tenant, path: '/tools', component: page(() => import('./pages/tenant/tools/tools'), 'Tools') }),
  createRoute({ getParentRoute: () => tenant, path: '/settings', component: page(() => import('./pages/tenant/settings'), 'Settings') }),
  createRoute({ getParentRoute: () => tenant, path: '/audit', component: page(() => import('./pages/tenant/audit/audit'), 'Audit') }),
  createRoute({ getParentRoute: () => tenant, path: '/access', component: page(() => import('./pages/tenant/access'), 'Access') }),
  createRoute({ getParentRoute: () => tenant, path: '/performance', component: page(() => import('./pages/tenant/performance'), 'Performance') }),
];

const operatorPages = [
  createRoute({ getParentRoute: () => operator, path: '/', component: () => <Navigate to={'/operator/tenants' as string} replace /> }),
  createRoute({ getParentRoute: () => operator, path: '/tenants', component: page(() => import('./pages/operator/tenants'), 'Tenants') }),
  createRoute({ getParentRoute: () => operator, path: '/tenants/$slug', component: page(() => import('./pages/operator/tenant'), 'TenantDetail') }),
  createRoute({ getParentRoute: () => operator, path: '/load', component: page(() => import('./pages/operator/load'), 'Load') }),
  createRoute({ getParentRoute: () => operator, path: '/isolation', component: page(() => import('./pages/operator/isolation/page'), 'Isolation') }),
  createRoute({ getParentRoute: () => operator, path: '/checks', component: page(() => import('./pages/operator/checks'), 'Checks') }),
  createRoute({ getParentRoute: () => operator, path: '/cache', component: page(() => import('./pages/operator/cache/page'), 'Cache') }),
  createRoute({ getParentRoute: () => operator, path: '/flags', component: page(() => import('./pages/operator/flags'), 'Flags') }),
  createRoute({ getParentRoute: () => operator, path: '/flags/$key', component: page(() => import('./pages/operator/flag'), 'Flag') }),
  createRoute({ getParentRoute: () => operator, path: '/jobs', component: page(() => import('./pages/operator/jobs'), 'Jobs') }),
  createRoute({ getParentRoute: () => operator, path: '/report', component: page(() => import('./pages/operator/report'), 'Report') }),
];

export const router = createRouter({
  routeTree: root.addChildren([home, tenant.addChildren(tenantPages), operator.addChildren(operatorPages)]),
  basepath: import.meta.env.BASE_URL,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading className="h-64" />,
  defaultErrorComponent: ({ error, reset }) => <Page title="Something went wrong"><Problem error={error as Error} retry={reset} /></Page>,
});

/** To the tenant the context is of. */
function Home() {
  const { organization } = useTenant();
  return <Navigate to={'/t/$tenant' as string} params={{ tenant: organization.slug } as never} replace />;
}

/** Pages for super admins: to all others there are none. */
function Operators() {
  return useUser().role === 'super_admin' ? <Outlet /> : <NotFound />;
}
