// What there is to go to, and for whom.
import type { Role } from '@vital-db/client';
import { Activity, Blocks, Bot, Building2, ClipboardCheck, DatabaseZap, Eye, FileText, Flag, Gauge, Grid3x3, History, LayoutDashboard, ListChecks, Settings2, Users, Wrench, type LucideIcon } from 'lucide-react';

interface Item { to: string; label: string; icon: LucideIcon; /** The least role it is for. */ role?: Role }

/** A tenant's pages. */
export const tenantItems: Item[] = [
  { to: '/t/$tenant', label: 'Overview', icon: LayoutDashboard },
  { to: '/t/$tenant/members', label: 'Members', icon: Users },
  { to: '/t/$tenant/apps', label: 'Apps', icon: Blocks },
  { to: '/t/$tenant/flags', label: 'Flags', icon: Flag },
  { to: '/t/$tenant/agents', label: 'Agents', icon: Bot },
  { to: '/t/$tenant/tools', label: 'Tools', icon: Wrench },
  { to: '/t/$tenant/settings', label: 'Settings', icon: Settings2, role: 'admin' },
  { to: '/t/$tenant/audit', label: 'Audit log', icon: History, role: 'admin' },
  { to: '/t/$tenant/access', label: 'Access', icon: Eye, role: 'admin' },
  { to: '/t/$tenant/performance', label: 'Performance', icon: Gauge, role: 'admin' },
];

/** The operators' pages. */
export const operatorItems: Item[] = [
  { to: '/operator/tenants', label: 'Tenants', icon: Building2 },
  { to: '/operator/load', label: 'Load', icon: Activity },
  { to: '/operator/isolation', label: 'Isolation', icon: Grid3x3 },
  { to: '/operator/checks', label: 'Checks', icon: ClipboardCheck },
  { to: '/operator/cache', label: 'Cache', icon: DatabaseZap },
  { to: '/operator/flags', label: 'Flag review', icon: Flag },
  { to: '/operator/jobs', label: 'Jobs', icon: ListChecks },
  { to: '/operator/report', label: 'Weekly report', icon: FileText },
];
