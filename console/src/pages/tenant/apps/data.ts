// What is read and written of a tenant's apps: their rows, and which of them the configuration lists.
import { useTenant } from '@vital-db/client/react';
import { VitalError, type Database } from '@vital-db/client';
import { changed, done, told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { moved, placeOf } from '../../../api/order';
import { rest, vital } from '../../../session/clients';
import type { Tone } from '../../../ui/badge';

type Row = Database['public']['Tables']['tenant_apps']['Row'];
export type App = Pick<Row, 'id' | 'app_key' | 'app_name' | 'app_route' | 'app_icon' | 'is_visible' | 'is_enabled' | 'display_order' | 'config'>;
export type AppInput = Pick<App, 'app_name' | 'app_route' | 'app_icon' | 'config'>;

/** What becomes of an app: three switches decide, and all must be on. */
export function fate(app: App, listed: readonly string[]): { word: string; tone: Tone; why: string } {
  if (!app.is_visible) return { word: 'hidden', tone: 'neutral', why: 'Front ends are not told of it.' };
  if (!listed.includes(app.app_key)) return { word: 'not listed', tone: 'warn', why: 'Front ends are told of it, and that the configuration does not allow it.' };
  if (!app.is_enabled) return { word: 'off', tone: 'neutral', why: 'Front ends show it greyed.' };
  return { word: 'in use', tone: 'ok', why: 'Members can use it.' };
}

/** Says in the configuration whether the tenant may use an app. A list is replaced as a whole, so what others put into it meanwhile is read again. */
async function list(key: string, listed: boolean): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { data: { enabled_apps: keys }, etag } = await vital.config.get();
    if (keys.includes(key) === listed) return;
    try {
      await vital.config.update({ enabled_apps: listed ? [...keys, key] : keys.filter((other) => other !== key) }, { ifMatch: etag });
      return;
    } catch (error) {
      if (tries === 3 || !(error instanceof VitalError && error.code === 'precondition_failed')) throw error;
    }
  }
}

const inOrder = (tenant: string) => rest.from('tenant_apps').select('id,app_key,display_order').eq('tenant_id', tenant).order('display_order').order('app_key');

/** The changes of apps. */
export function useAppChanges() {
  const tenant = useTenant().organization.id;
  const update = (id: string, row: Partial<Omit<App, 'id' | 'app_key'>>) => changed(rest.from('tenant_apps').update(row).eq('tenant_id', tenant).eq('id', id).select('id'));
  return {
    enable: useChange(({ app, on }: { app: App; on: boolean }) => update(app.id, { is_enabled: on }), (_row, { app, on }) => `${app.app_name} is ${on ? 'on' : 'off'}`),
    show: useChange(({ app, on }: { app: App; on: boolean }) => update(app.id, { is_visible: on }), (_row, { app, on }) => `${app.app_name} is ${on ? 'shown' : 'hidden'}`),
    list: useChange(({ key, on }: { key: string; on: boolean }) => list(key, on), (_row, { key, on }) => `${key} is ${on ? 'listed' : 'not listed any more'}`),
    edit: useChange(({ app, input }: { app: App; input: AppInput }) => update(app.id, input), (_row, { input }) => `${input.app_name} was saved`),
    add: useChange(async ({ input, key, listed }: { input: AppInput; key: string; listed: boolean }) => {
      const last = await told(rest.from('tenant_apps').select('display_order').eq('tenant_id', tenant).order('display_order', { ascending: false }).limit(1));
      await done(rest.from('tenant_apps').insert({ ...input, app_key: key, tenant_id: tenant, display_order: (last[0]?.display_order ?? 0) + 1 }));
      if (listed) await list(key, true);
    }, (_row, { input }) => `${input.app_name} was added`),
    remove: useChange(async (app: App) => {
      await list(app.app_key, false); // first: the configuration never lists what is gone
      await changed(rest.from('tenant_apps').delete().eq('tenant_id', tenant).eq('id', app.id).select('id'));
    }, (_row, app) => `${app.app_name} was removed`),
    move: useChange(async ({ app, by }: { app: App; by: -1 | 1 }) => {
      const rows = await told(inOrder(tenant));
      for (const { id, display_order } of moved(rows, app.id, by)) await update(id, { display_order });
      return placeOf(rows, app.id, by);
    }, ({ place, of }, { app }) => `${app.app_name} is number ${place} of ${of}`),
  };
}

export type AppChanges = ReturnType<typeof useAppChanges>;
