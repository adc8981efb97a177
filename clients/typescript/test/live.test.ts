import { readFile } from 'node:fs/promises';
import { PostgrestClient } from '@supabase/postgrest-js';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { databaseOf } from '../scripts/database.mjs';
import { schemaOf } from '../scripts/schema.mjs';
import { fromSupabase, VitalClient, type Change, type Database, type VitalClientOptions, type VitalError } from '../src/index.js';
import { tabStorage, until } from './fake.js';

const { url, anonKey, passwords, dataDir } = inject('vital');
const ada = 'ada@digital-health.vital.test'; // admin of digital-health
const ben = 'ben@digital-health.vital.test'; // member of digital-health
const cyd = 'cyd@pharma.vital.test'; // admin of pharma
const dana = 'dana@pharma.vital.test'; // member of pharma and of digital-health
const operator = 'admin@platform.vital.test'; // super admin

async function signIn(email: string): Promise<SupabaseClient> {
  const supabase = createClient(url, anonKey, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: class {} as never } /* Node 20 has no WebSocket */ });
  const { error } = await supabase.auth.signInWithPassword({ email, password: passwords[email]! });
  expect(error).toBeNull();
  return supabase;
}

async function clientOf(email: string, options: Partial<VitalClientOptions> = {}): Promise<VitalClient> {
  return new VitalClient({ url, ...fromSupabase(await signIn(email)), storage: tabStorage(), ...options });
}

const caught = (promise: Promise<unknown>): Promise<VitalError> => promise.then(() => { throw new Error('it went well'); }, (error: VitalError) => error);

/** Listens until the test ends. */
function listen(client: VitalClient): Change[] {
  const heard: Change[] = [];
  onTestFinished(client.onChange((change) => heard.push(change)));
  return heard;
}

test('the types are those of this server', async () => {
  expect(await readFile(new URL('../src/schema.ts', import.meta.url), 'utf8'), 'run npm run generate').toBe(await schemaOf(url));
  expect(await readFile(new URL('../src/database.ts', import.meta.url), 'utf8'), 'run npm run generate').toBe(await databaseOf(dataDir));
});

describe('tenants', () => {
  test('a second tenant sees its own', async () => {
    const [a, b] = await Promise.all([clientOf(ada), clientOf(cyd)]);
    const [mine, theirs] = await Promise.all([a.context(), b.context()]);
    expect([mine.organization.slug, theirs.organization.slug]).toEqual(['digital-health', 'pharma']);
    await a.config.update({ ui_config: { custom: { mark: 'ada\'s' } } }, { reason: 'Prüfung' });
    expect((await a.context()).config.ui_config.custom).toEqual({ mark: 'ada\'s' });
    expect(JSON.stringify(await b.context())).not.toContain('ada\'s');
  });

  test('a forged one is refused, in reads, changes, flags and streams, and nothing else is shown', async () => {
    const a = await clientOf(ada);
    const { id } = (await (await clientOf(cyd)).context()).organization;
    for (const tenant of ['pharma', id, 'no-such-tenant']) {
      const errors = await Promise.all([
        caught(a.context({ tenant })), caught(a.config.update({ ui_config: {} }, { tenant })), caught(a.features.toggle('new_dashboard', true, { tenant })),
        caught(a.features.all({ tenant })), caught(a.events({ tenant }).next()),
      ]);
      expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('tenant_not_found'));
      expect(errors.every(({ hint, requestId }) => hint !== '' && requestId !== undefined)).toBe(true);
    }
    const there = await caught(a.switchTenant('pharma'));
    const nowhere = await caught(a.switchTenant('no-such-tenant'));
    expect({ ...there, requestId: '' }, 'one that is there answers as one that is not').toEqual({ ...nowhere, requestId: '' });
    expect((await a.switchTenant(null)).organization.slug).toBe('digital-health');
  });

  test('a member of two goes from one to the other, in one tab alone', async () => {
    const supabase = await signIn(dana);
    const [one, other] = [1, 2].map(() => new VitalClient({ url, ...fromSupabase(supabase), storage: tabStorage() })) as [VitalClient, VitalClient];
    await Promise.all([one.context(), other.context()]);
    expect((await one.switchTenant('digital-health')).membership?.role).toBe('member');
    expect([(await one.context()).organization.slug, (await other.context()).organization.slug]).toEqual(['digital-health', 'pharma']);
    await supabase.rpc('set_default_tenant', { p_tenant_id: one.tenant });
    expect((await other.context()).organization.slug, 'another default moves nobody').toBe('pharma');
    await supabase.rpc('set_default_tenant', { p_tenant_id: other.tenant });
  });
});

describe('changes', () => {
  test('a flag an admin switches is at another client by its stream', async () => {
    const [a, b] = await Promise.all([clientOf(ada), clientOf(ben)]);
    expect(await b.features.get('new_dashboard', true)).toBe(false);
    await b.context();
    const heard = listen(b);
    await until(() => heard.length > 0, 'the stream begins');
    const took: number[] = [];
    for (let i = 0; i < 10; i++) {
      const on = i % 2 === 0;
      const before = heard.length;
      const began = performance.now();
      await a.features.toggle('new_dashboard', on);
      await until(() => heard.length > before, 'the change is heard of');
      expect(await b.features.get('new_dashboard', !on)).toBe(on);
      took.push(performance.now() - began);
    }
    took.sort((x, y) => x - y);
    console.log(`from a toggle to its value at another client: median ${took[5]!.toFixed(1)} ms, worst ${took[9]!.toFixed(1)} ms`);
    await a.features.toggle('new_dashboard', null);
  });

  test('what one has written is in every read after it', async () => {
    const a = await clientOf(ada);
    for (let i = 0; i < 5; i++) {
      await a.config.update({ limits: { custom: { i } } });
      expect((await a.context()).config.limits.custom).toEqual({ i });
    }
  });

  test('a change is done once, however often it is sent', async () => {
    const a = await clientOf(ada);
    const change = () => a.config.update({ limits: { max_agents: 77 } }, { idempotencyKey: 'live-once' });
    expect((await change()).replayed).toBe(false);
    expect((await change()).replayed).toBe(true);
    expect(await caught(a.config.update({ limits: { max_agents: 78 } }, { idempotencyKey: 'live-once' }))).toMatchObject({ code: 'idempotency_mismatch', status: 422 });
  });

  test('of two writers the second is told', async () => {
    const [a, again] = await Promise.all([clientOf(ada), clientOf(ada)]);
    const [seen, alsoSeen] = await Promise.all([a.config.get(), again.config.get()]);
    expect(seen.etag).toBe(alsoSeen.etag);
    const { data } = await a.config.update({ ui_config: { primary_color: '#0F766E' } }, { ifMatch: seen.etag });
    expect(data.ui_config.primary_color).toBe('#0F766E');
    expect(await caught(again.config.update({ ui_config: { primary_color: '#000000' } }, { ifMatch: alsoSeen.etag }))).toMatchObject({ code: 'precondition_failed', status: 412 });
  });

  test('what is wrong is named, and who may not is told', async () => {
    const wrong = await caught((await clientOf(ada)).config.update({ limits: { max_agents: -1 } }));
    expect(wrong).toMatchObject({ code: 'invalid', status: 422 });
    expect(wrong.errors.map(({ path }) => path)).toEqual(['/limits/max_agents']);
    expect(await caught((await clientOf(ben)).features.toggle('new_dashboard', true))).toMatchObject({ code: 'permission_denied', status: 403 });
  });

  test('an agent is assigned, and taken away', async () => {
    const supabase = await signIn(ada);
    const a = new VitalClient({ url, ...fromSupabase(supabase), storage: null });
    const { data } = await supabase.from('agents').select('id, tenant_id').limit(1).single();
    const { id, tenant_id: agentTenant } = data as { id: string; tenant_id: string };
    expect((await a.agents.assign(id, { agentTenant, config: { tone: 'calm' } })).data).toMatchObject({ agent_id: id, is_enabled: true });
    expect((await a.agents.unassign(id, { agentTenant })).data).toMatchObject({ agent_id: id, is_enabled: false });
  });
});

describe('rows and functions, by postgrest-js', () => {
  const restOf = (vital: VitalClient) => new PostgrestClient<Database>(`${vital.url}/rest/v1`, { fetch: vital.fetch });

  test('are those of the tenant this client is in', async () => {
    const d = await clientOf(dana);
    const rest = restOf(d);
    for (const slug of ['digital-health', 'pharma']) {
      const { organization } = await d.switchTenant(slug);
      const { data, error } = await rest.from('tenant_configurations').select('tenant_id, organizations(slug)').eq('tenant_id', organization.id);
      expect(error).toBeNull();
      expect(data).toEqual([{ tenant_id: organization.id, organizations: { slug } }]);
      expect((await rest.rpc('get_user_tenant_id')).data).toBe(organization.id);
    }
  });

  test('of a forged tenant are refused, and none are shown', async () => {
    const a = await clientOf(ada);
    const { data, error, status } = await restOf(a).from('agents').select().setHeader('Vital-Tenant', 'pharma');
    expect({ data, status, code: error?.code }).toEqual({ data: null, status: 404, code: 'tenant_not_found' });
    expect((await a.context()).organization.slug, 'it is not this client\'s').toBe('digital-health');
  });

  test('show what was written, and what they show is in every read after them', async () => {
    const versions: (string | null)[][] = [];
    const a = await clientOf(ada, { fetch: async (input, init) => {
      const response = await fetch(input, init);
      versions.push([new Headers(init?.headers).get('Vital-Min-Version'), response.headers.get('Vital-Version')]);
      return response;
    } });
    const rest = restOf(a);
    const { organization } = await a.context();
    const { data: made, error } = await rest.from('agents').insert({ tenant_id: organization.id, slug: 'live', name: 'Live' }).select('id').single();
    expect(error).toBeNull();
    const { count } = await rest.from('agents').select('*', { count: 'exact', head: true }).eq('id', made!.id);
    expect(count).toBe(1);
    await rest.from('agents').delete().eq('id', made!.id);
    expect((await rest.from('agents').select('id').eq('id', made!.id)).data).toEqual([]);
    await a.context();
    const [context, insert, head, remove, read, again] = versions as [string | null, string | null][];
    const position = (version: string | null) => version!.split('.')[4];
    expect([insert![0], remove![0]]).toEqual([null, null]);
    expect([head![0], read![0], again![0]].map(position)).toEqual([insert![1], remove![1], read![1]].map(position));
    expect(head![0]!.split('.').slice(0, 4), 'counters stay those of the context').toEqual(context![1]!.split('.').slice(0, 4));
  });

  test('end with the tenant they were asked for in, before and while they come', async () => {
    const d = await clientOf(dana);
    await d.switchTenant('pharma');
    const stream = await d.fetch('/v1/context/events');
    const reading = caught(stream.text());
    const late = restOf(d).from('agents').select().then((result) => result);
    await d.switchTenant('digital-health');
    expect(await reading).toMatchObject({ code: 'tenant_switched' });
    expect(await late).toMatchObject({ data: null, error: { message: expect.stringContaining('The tenant was left') } });
  });

  test('are refused with the session, which this client notices', async () => {
    const supabase = await signIn(ben);
    const token = (await supabase.auth.getSession()).data.session!.access_token;
    const b = new VitalClient({ url, getToken: () => token, storage: null });
    await b.context();
    const before = b.snapshot();
    await supabase.auth.signOut({ scope: 'local' });
    const refused = await restOf(b).from('agents').select();
    expect([refused.status, refused.error?.code]).toEqual([401, 'session_revoked']);
    expect(b.snapshot()).not.toBe(before);
  });
});

describe('what ends', () => {
  test('a session that is ended ends its streams, and is refused', async () => {
    const supabase = await signIn(ben);
    const token = (await supabase.auth.getSession()).data.session!.access_token;
    const b = new VitalClient({ url, getToken: () => token, storage: null });
    await b.context();
    const heard = listen(b);
    await until(() => heard.length > 0, 'the stream begins');
    const began = performance.now();
    await supabase.auth.signOut({ scope: 'local' });
    await until(() => heard.some((change) => change.error), 'the stream ends');
    console.log(`from a sign-out to the end of its stream here: ${(performance.now() - began).toFixed(0)} ms`);
    expect(heard.at(-1)).toMatchObject({ error: { code: 'session_revoked' } });
    expect(await caught(b.context())).toMatchObject({ code: 'session_revoked', status: 401 });
    expect(b.tenants).toEqual([]);
  });

  test('signing out in supabase-js ends it here', async () => {
    const supabase = await signIn(ben);
    const b = new VitalClient({ url, ...fromSupabase(supabase), storage: null });
    await b.context();
    const before = b.snapshot();
    await supabase.auth.signOut({ scope: 'local' });
    expect(b.snapshot()).not.toBe(before);
    expect(await caught(b.context())).toMatchObject({ code: 'token_missing' });
  });

  test('a tenant that is suspended is told to its members, and comes back', async () => {
    const [root, c] = await Promise.all([clientOf(operator), clientOf(cyd)]);
    const { organization } = await c.context();
    const heard = listen(c);
    await until(() => heard.length > 0, 'the stream begins');
    await root.lifecycle.move('suspend', { tenant: organization.id, reason: 'a test' });
    await until(() => heard.some((change) => change.error), 'the stream ends');
    expect(await caught(c.context())).toMatchObject({ code: 'tenant_suspended', status: 403 });
    await root.lifecycle.move('activate', { tenant: organization.id, reason: 'a test' });
    expect((await c.context()).organization.slug).toBe('pharma');
  });
});
