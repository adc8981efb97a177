import type { ReactNode } from 'react';
import { PostgrestClient } from '@supabase/postgrest-js';
import { createClient } from '@supabase/supabase-js';
import { expectTypeOf, test } from 'vitest';
import { createVitalClient, fromSupabase, type TenantContext, type ContextEvent, type Database, type Evaluation, type Tenant, type VitalClient, type VitalError, type Written } from '../src/index.js';
import { VitalProvider } from '../src/openfeature.js';
import { FeatureGate, RequireRole, TenantAuthProvider, useApps, useFeature, useTenant, useTenantAuth } from '../src/react/index.js';
import type { Provider } from '@openfeature/web-sdk';

declare const vital: VitalClient;

test('a client takes the session of supabase-js as it is', () => {
  expectTypeOf(fromSupabase).toBeCallableWith(createClient('http://127.0.0.1', 'key'));
  expectTypeOf(createVitalClient({ url: '', ...fromSupabase(createClient('http://127.0.0.1', 'key')) })).toEqualTypeOf<VitalClient>();
  // @ts-expect-error -- without a token nobody is anybody
  createVitalClient({ url: '' });
});

test('a context says what is there', () => {
  expectTypeOf(vital.context()).resolves.toEqualTypeOf<TenantContext>();
  expectTypeOf<TenantContext['membership']>().toEqualTypeOf<{ role: 'owner' | 'admin' | 'member' | 'viewer'; joined_at: string } | null>();
  expectTypeOf<TenantContext['config']['ui_config']['primary_color']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<TenantContext['config']['limits']['custom']>().toEqualTypeOf<Record<string, unknown> | undefined>();
  expectTypeOf<TenantContext['tenants'][number]>().toEqualTypeOf<Tenant>();
});

test('a fallback says what a flag is', () => {
  expectTypeOf(vital.features.get('f', false)).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(vital.features.get('f', 'small')).resolves.toEqualTypeOf<string>();
  expectTypeOf(vital.features.get('f', 1)).resolves.toEqualTypeOf<number>();
  expectTypeOf(vital.features.get('f', { accent: '#fff' })).resolves.toEqualTypeOf<{ accent: string }>();
  expectTypeOf(vital.features.all()).resolves.toEqualTypeOf<Record<string, Evaluation>>();
  expectTypeOf(useFeature<true>).returns.toEqualTypeOf<boolean>();
});

test('a change is checked before it is sent', () => {
  expectTypeOf(vital.config.update({ ui_config: { logo_url: null }, limits: { max_agents: 3 } })).resolves.toMatchTypeOf<Written<{ tenant_id: string }>>();
  // @ts-expect-error -- no such field
  void vital.config.update({ tenant_id: 'x' });
  // @ts-expect-error -- a number
  void vital.config.update({ limits: { max_agents: 'many' } });
  // @ts-expect-error -- a reason is needed
  void vital.lifecycle.move('suspend', { tenant: 'x' });
  // @ts-expect-error -- no such move
  void vital.lifecycle.move('delete', { reason: 'x' });
});

test('rows and functions are those of the database', async () => {
  const rest = new PostgrestClient<Database>(`${vital.url}/rest/v1`, { fetch: vital.fetch });
  const { data: organizations } = await rest.from('organizations').select('id,name');
  expectTypeOf(organizations).toEqualTypeOf<{ id: string; name: string }[] | null>();
  const { data: embedded } = await rest.from('tenant_apps').select('app_key, organizations(slug, lifecycle_state)').single();
  expectTypeOf(embedded).toEqualTypeOf<{ app_key: string; organizations: { slug: string; lifecycle_state: 'pending' | 'active' | 'suspended' | 'archived' } } | null>();
  const { data: stats } = await rest.rpc('get_query_performance_stats', { p_hours: 1 });
  expectTypeOf(stats!).items.toMatchTypeOf<{ query_name: string; avg_time_ms: number; total_executions: number }>();
  expectTypeOf((await rest.rpc('get_query_performance_stats')).data).toEqualTypeOf(stats);
  expectTypeOf((await rest.rpc('is_tenant_admin')).data).toEqualTypeOf<boolean | null>();
  const { data: created } = await rest.rpc('create_tenant', { p_name: 'n', p_slug: 's', p_tenant_type: 'pharma' });
  expectTypeOf(created!).toEqualTypeOf<Database['public']['Tables']['organizations']['Row']>();
  expectTypeOf(createClient<Database>('http://127.0.0.1', 'key').from('agents').insert).toBeCallableWith({ tenant_id: 't', slug: 's', name: 'n' });
  // @ts-expect-error -- no such table
  void rest.from('nothing');
  // @ts-expect-error -- no such column
  void rest.from('agents').insert({ tenant_id: 't', slug: 's', name: 'n', nothing: 1 });
  // @ts-expect-error -- a name is needed
  void rest.from('agents').insert({ tenant_id: 't', slug: 's' });
  // @ts-expect-error -- a number
  void rest.rpc('get_query_performance_stats', { p_hours: 'many' });
});

test('events are iterated', () => {
  expectTypeOf(vital.events()).toEqualTypeOf<AsyncGenerator<ContextEvent, void>>();
});

test('a state has what belongs to it', () => {
  type State = ReturnType<typeof useTenantAuth>;
  expectTypeOf<Extract<State, { status: 'ready' }>['context']>().toEqualTypeOf<TenantContext>();
  expectTypeOf<Extract<State, { status: 'suspended' | 'error' }>['error']>().toEqualTypeOf<VitalError>();
  expectTypeOf<State>().not.toHaveProperty('context');
  expectTypeOf(useTenant).returns.toHaveProperty('organization').toEqualTypeOf<TenantContext['organization']>();
  expectTypeOf(useApps).returns.items.toHaveProperty('app_route').toEqualTypeOf<string>();
});

test('components say what they need', () => {
  expectTypeOf(TenantAuthProvider).parameter(0).toHaveProperty('client').toEqualTypeOf<VitalClient>();
  expectTypeOf(TenantAuthProvider).returns.toEqualTypeOf<ReactNode>();
  expectTypeOf(FeatureGate).parameter(0).toHaveProperty('feature').toEqualTypeOf<string>();
  expectTypeOf(RequireRole).parameter(0).toHaveProperty('role').toEqualTypeOf<'owner' | 'admin' | 'member' | 'viewer'>();
});

test('OpenFeature takes the provider', () => {
  expectTypeOf<VitalProvider>().toMatchTypeOf<Provider>();
});
