// The data part of the unmodified supabase-js v2 against `vital up`.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { PostgrestError } from '@supabase/supabase-js';
import { ada, alex, ben, cyd, up } from './server.mjs';

let vital;
let supabase; // as an admin of the first tenant
let service;
let tenantId; // of the first tenant
let userId; // of ada
let persona; // a row of the first tenant

before(async () => {
  vital = await up();
  supabase = await vital.as(ada);
  service = vital.asService();
  const context = got(await supabase.rpc('get_user_tenant_context'));
  tenantId = context.organization.id;
  userId = context.user.id;
  await seed();
});

after(() => vital?.stop());

async function seed() {
  const personas = got(await supabase.from('personas').insert([
    { tenant_id: tenantId, name: 'Nurse', goals: ['fewer forms'] },
    { tenant_id: tenantId, name: 'Patient', goals: [] },
  ]).select());
  persona = personas.find((p) => p.name === 'Nurse');
  done(await supabase.from('jobs_to_be_done').insert([
    { tenant_id: tenantId, title: 'Admit', importance: 9, persona_tenant_id: tenantId, persona_id: persona.id },
    { tenant_id: tenantId, title: 'Discharge', importance: 5, persona_tenant_id: tenantId, persona_id: persona.id },
    { tenant_id: tenantId, title: 'Nobody\'s', importance: 1, persona_tenant_id: null, persona_id: null },
  ]));
  done(await supabase.from('prompts').insert([
    { tenant_id: tenantId, title: 'Alpha', category: 'read', version: 1, status: 'active', tags: ['a', 'b'], metadata: { rank: 1, by: { name: 'Ann' } }, body: 'Summarise the patient letters' },
    { tenant_id: tenantId, title: 'Beta, too', category: 'read', version: 2, status: 'draft', tags: ['b'], metadata: { rank: 2, by: { name: 'Bob' } }, body: 'Translate a letter' },
    { tenant_id: tenantId, title: 'Gamma "γ"', category: 'read', version: 3, status: 'retired', tags: [], metadata: { rank: 10 }, body: 'Plan a visit' },
    { tenant_id: tenantId, title: 'Delta', category: 'read', version: 4, status: 'active', tags: ['c'], metadata: {}, body: '' },
  ]));
}

/** The data of an answer without an error. */
function got({ data, error }) {
  assert.equal(error, null);
  return data;
}

/** Nothing but the absence of an error. */
function done({ error }) {
  assert.equal(error, null);
}

/** The error of an answer, with its status. */
function failed({ data, error, status }, code, wantedStatus) {
  assert.equal(data, null);
  assert.equal(error?.code, code, JSON.stringify(error));
  if (wantedStatus) assert.equal(status, wantedStatus);
  return error;
}

const titles = (rows) => rows.map((row) => row.title);

describe('the snippets of the assessment', () => {
  test('rpc get_user_tenant_context with the user\'s id', async () => {
    const { data, error } = await supabase.rpc('get_user_tenant_context', {
      p_user_id: userId
    });
    assert.equal(error, null);
    assert.equal(data.user.email, ada);
    assert.equal(data.user.full_name, 'Ada Ames');
    assert.equal(data.organization.slug, 'digital-health');
    assert.equal(data.organization.tenant_type, 'digital_health');
    assert.deepEqual(data.config.apps.map((app) => app.app_key), ['dashboard', 'chat', 'agents', 'knowledge']);
    assert.ok(data.config.features.some((flag) => flag.flag_key === 'chat_streaming' && flag.enabled));
    assert.deepEqual(got(await supabase.rpc('get_user_tenant_context_optimized', { p_user_id: userId })).organization, data.organization);
  });

  test('visible apps of a tenant, in order', async () => {
    const { data, error } = await supabase
      .from('tenant_apps')
      .select('*')
      .eq('tenant_id', tenantId)
      .eq('is_visible', true)
      .order('display_order');
    assert.equal(error, null);
    assert.deepEqual(data.map((app) => app.app_key), ['dashboard', 'chat', 'agents', 'knowledge']);
  });

  test('the caller\'s own organization, and the update that it guards', async () => {
    const { data: userTenant } = await supabase
      .from('users')
      .select('organization_id')
      .eq('id', userId)
      .single();
    assert.deepEqual(userTenant, { organization_id: tenantId });
    const { data, error } = await supabase
      .from('tenant_configurations')
      .update({ ui_config: { theme: 'calm', logo_url: null, primary_color: '#0F766E' } })
      .eq('tenant_id', tenantId)
      .select()
      .single();
    assert.equal(error, null);
    assert.equal(data.ui_config.theme, 'calm');
  });

  test('a member\'s tenants, embedded as the old provider read them', async () => {
    const { data, error } = await supabase.from('user_tenants').select('role, tenant:organizations(id, name, slug)').eq('user_id', userId);
    assert.equal(error, null);
    assert.deepEqual(data, [{ role: 'admin', tenant: { id: tenantId, name: 'Digital Health', slug: 'digital-health' } }]);
  });

  test('tenant_full_config is one row with apps and features', async () => {
    const config = got(await supabase.from('tenant_full_config').select().eq('tenant_id', tenantId).single());
    assert.equal(config.slug, 'digital-health');
    assert.equal(config.apps.length, 4);
    assert.equal(config.features.length, 5);
  });

  test('every relation the client reads is there, columns as the tools page expects them', async () => {
    const relations = ['profiles', 'users', 'organizations', 'tenant_configurations', 'tenant_apps', 'feature_flags', 'tenant_feature_flags',
      'tenant_agents', 'agents', 'tools', 'prompts', 'knowledge', 'personas', 'jobs_to_be_done', 'chat_sessions', 'query_performance_log'];
    for (const relation of relations) {
      done(await supabase.from(relation).select('*').limit(1));
    }
    done(await supabase.from('tools').select('implementation_type, tool_type, category, category_id, slug, function_signature').limit(1));
  });
});

describe('reading', () => {
  const prompts = (columns = 'title', options) => supabase.from('prompts').select(columns, options).eq('category', 'read');

  test('single with one row, none and two', async () => {
    assert.deepEqual(got(await prompts().eq('version', 1).single()), { title: 'Alpha' });
    const none = failed(await prompts().eq('version', 99).single(), 'PGRST116', 406);
    assert.equal(none.message, 'Cannot coerce the result to a single JSON object');
    assert.equal(none.details, 'The result contains 0 rows');
    const two = failed(await prompts().lte('version', 2).single(), 'PGRST116', 406);
    assert.equal(two.details, 'The result contains 2 rows');
  });

  test('maybeSingle with one row, none and two', async () => {
    assert.deepEqual(got(await prompts().eq('version', 1).maybeSingle()), { title: 'Alpha' });
    const none = await prompts().eq('version', 99).maybeSingle();
    assert.deepEqual([none.data, none.error], [null, null]);
    failed(await prompts().lte('version', 2).maybeSingle(), 'PGRST116', 406);
  });

  test('comparisons', async () => {
    const by = async (narrow) => titles(got(await narrow(prompts()).order('version')));
    const all = ['Alpha', 'Beta, too', 'Gamma "γ"', 'Delta'];
    assert.deepEqual(await by((q) => q), all);
    assert.deepEqual(await by((q) => q.neq('version', 1)), all.slice(1));
    assert.deepEqual(await by((q) => q.gt('version', 1).lt('version', 4)), all.slice(1, 3));
    assert.deepEqual(await by((q) => q.gte('version', 3)), all.slice(2));
    assert.deepEqual(await by((q) => q.like('title', '%lt%')), ['Delta']);
    assert.deepEqual(await by((q) => q.ilike('title', 'a%')), ['Alpha']);
    assert.deepEqual(await by((q) => q.likeAnyOf('title', ['Al%', 'De%'])), ['Alpha', 'Delta']);
    assert.deepEqual(await by((q) => q.ilikeAllOf('title', ['%A', 'd%'])), ['Delta']);
    assert.deepEqual(await by((q) => q.is('owner_id', null)), all);
    assert.deepEqual(await by((q) => q.match({ status: 'active', version: 4 })), ['Delta']);
    assert.deepEqual(await by((q) => q.filter('version', 'in', '(1,4)')), ['Alpha', 'Delta']);
    assert.deepEqual(await by((q) => q.isDistinct('description', 'x')), all);
  });

  test('in with a comma and with quotes, not, or', async () => {
    const by = async (narrow) => titles(got(await narrow(prompts()).order('version')));
    assert.deepEqual(await by((q) => q.in('title', ['Beta, too', 'Gamma "γ"'])), ['Beta, too', 'Gamma "γ"']);
    assert.deepEqual(await by((q) => q.in('title', [])), []);
    assert.deepEqual(await by((q) => q.eq('title', 'Beta, too')), ['Beta, too']);
    assert.deepEqual(await by((q) => q.not('version', 'in', '(1,2)')), ['Gamma "γ"', 'Delta']);
    assert.deepEqual(await by((q) => q.notIn('version', [1, 2])), ['Gamma "γ"', 'Delta']);
    assert.deepEqual(await by((q) => q.not('description', 'is', null)), []);
    assert.deepEqual(await by((q) => q.or('version.eq.1,and(status.eq.retired,version.gt.2)')), ['Alpha', 'Gamma "γ"']);
    assert.deepEqual(await by((q) => q.or('title.eq."Gamma \\"γ\\"",title.eq."Beta, too"')), ['Beta, too', 'Gamma "γ"']);
  });

  test('arrays and jsonb', async () => {
    const by = async (narrow) => titles(got(await narrow(prompts()).order('version')));
    assert.deepEqual(await by((q) => q.contains('tags', ['a', 'b'])), ['Alpha']);
    assert.deepEqual(await by((q) => q.containedBy('tags', ['b', 'c'])), ['Beta, too', 'Gamma "γ"', 'Delta']);
    assert.deepEqual(await by((q) => q.overlaps('tags', ['a', 'c'])), ['Alpha', 'Delta']);
    assert.deepEqual(await by((q) => q.contains('metadata', { by: { name: 'Ann' } })), ['Alpha']);
    assert.deepEqual(await by((q) => q.eq('metadata->by->>name', 'Bob')), ['Beta, too']);
    assert.deepEqual(await by((q) => q.gt('metadata->rank', 2)), ['Gamma "γ"']);
    assert.deepEqual(await by((q) => q.is('metadata->rank', null)), ['Delta']);
    assert.deepEqual(got(await prompts('who:metadata->by->>name, rank:metadata->rank').order('metadata->rank', { ascending: false, nullsFirst: false }).limit(2)),
      [{ who: null, rank: 10 }, { who: 'Bob', rank: 2 }]);
  });

  test('text search in every form', async () => {
    const by = async (query, options) => titles(got(await prompts().textSearch('body', query, options).order('version')));
    assert.deepEqual(await by('letter', { config: 'english' }), ['Alpha', 'Beta, too']);
    assert.deepEqual(await by('letter & !translate', { config: 'english' }), ['Alpha']);
    assert.deepEqual(await by('patient letter', { config: 'english', type: 'plain' }), ['Alpha']);
    assert.deepEqual(await by('"a letter to nobody" or visit', { config: 'english', type: 'websearch' }), ['Gamma "γ"']);
  });

  test('columns: renamed, cast, all', async () => {
    assert.deepEqual(got(await prompts('name:title, version::text').eq('version', 1)), [{ name: 'Alpha', version: '1' }]);
    const [row] = got(await prompts('*').eq('version', 1));
    assert.equal(row.tenant_id, tenantId);
    assert.match(row.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00$/);
  });

  test('order, limit and range, nulls first and last', async () => {
    assert.deepEqual(titles(got(await prompts().order('status').order('version', { ascending: false }).limit(3))), ['Delta', 'Alpha', 'Beta, too']);
    assert.deepEqual(titles(got(await prompts().order('version').range(1, 2))), ['Beta, too', 'Gamma "γ"']);
    assert.deepEqual(titles(got(await prompts().order('metadata->rank', { nullsFirst: true }).limit(1))), ['Delta']);
    assert.deepEqual(got(await prompts().order('version').range(50, 60)), []);
  });

  test('count: with rows, of a page, and alone', async () => {
    const all = await prompts('*', { count: 'exact' });
    assert.equal(all.count, 4);
    assert.equal(all.status, 200);
    const page = await prompts('title', { count: 'exact' }).order('version').range(0, 1);
    assert.deepEqual([page.data.length, page.count, page.status], [2, 4, 206]);
    const alone = await prompts('*', { count: 'exact', head: true });
    assert.deepEqual([alone.data, alone.count, alone.error], [null, 4, null]);
    for (const kind of ['planned', 'estimated']) {
      const { count, error } = await prompts('*', { count: kind, head: true });
      assert.equal(error, null);
      assert.equal(typeof count, 'number');
    }
  });

  test('aggregates', async () => {
    assert.deepEqual(got(await prompts('status, count(), version.max()').order('status')), [
      { status: 'active', count: 2, max: 4 }, { status: 'draft', count: 1, max: 2 }, { status: 'retired', count: 1, max: 3 },
    ]);
  });

  test('csv', async () => {
    assert.equal(got(await prompts('version,title').lte('version', 2).order('version').csv()), 'version,title\n1,Alpha\n2,"Beta, too"');
  });

  test('nulls stripped', async () => {
    assert.deepEqual(got(await prompts('title, description').eq('version', 1).stripNulls()), [{ title: 'Alpha' }]);
  });

  test('a list of ids that makes a long URL', async () => {
    const ids = Array.from({ length: 500 }, () => randomUUID());
    assert.deepEqual(got(await supabase.from('prompts').select('id').in('id', ids)), []);
  });

  test('abortSignal: before it is sent, and a signal that never fires', async () => {
    const aborted = await prompts().abortSignal(AbortSignal.abort());
    assert.match(aborted.error.message, /AbortError/);
    assert.equal(aborted.data, null);
    assert.equal(got(await prompts().abortSignal(AbortSignal.timeout(10_000))).length, 4);
  });
});

describe('embedding', () => {
  test('one row, rows, and nothing', async () => {
    const jobs = got(await supabase.from('jobs_to_be_done').select('title, personas(name, goals)').order('title'));
    assert.deepEqual(jobs, [
      { title: 'Admit', personas: { name: 'Nurse', goals: ['fewer forms'] } },
      { title: 'Discharge', personas: { name: 'Nurse', goals: ['fewer forms'] } },
      { title: 'Nobody\'s', personas: null },
    ]);
    const personas = got(await supabase.from('personas').select('name, jobs_to_be_done(title)').order('name').order('title', { referencedTable: 'jobs_to_be_done' }));
    assert.deepEqual(personas, [{ name: 'Nurse', jobs_to_be_done: [{ title: 'Admit' }, { title: 'Discharge' }] }, { name: 'Patient', jobs_to_be_done: [] }]);
  });

  test('nested, three deep', async () => {
    const [job] = got(await supabase.from('jobs_to_be_done').select('title, persona:personas(name, owner:organizations(slug, tenant_configurations(limits)))').eq('title', 'Admit'));
    assert.deepEqual(job, {
      title: 'Admit', persona: { name: 'Nurse', owner: { slug: 'digital-health', tenant_configurations: { limits: { max_agents: 100, max_conversations: 1000 } } } },
    });
  });

  test('inner joins, and filters on what is embedded', async () => {
    assert.deepEqual(titles(got(await supabase.from('jobs_to_be_done').select('title, personas!inner(name)').order('title'))), ['Admit', 'Discharge']);
    assert.deepEqual(got(await supabase.from('jobs_to_be_done').select('title, personas!inner()').eq('personas.name', 'Patient')), []);
    const filtered = got(await supabase.from('personas').select('name, jobs_to_be_done(title)').gt('jobs_to_be_done.importance', 5).order('name'));
    assert.deepEqual(filtered, [{ name: 'Nurse', jobs_to_be_done: [{ title: 'Admit' }] }, { name: 'Patient', jobs_to_be_done: [] }]);
    const either = got(await supabase.from('personas').select('name, jobs_to_be_done(title)').or('importance.eq.9,title.eq.Discharge', { referencedTable: 'jobs_to_be_done' }).eq('name', 'Nurse').single());
    assert.equal(either.jobs_to_be_done.length, 2);
    const limited = got(await supabase.from('personas').select('jobs_to_be_done(title)').eq('name', 'Nurse').order('importance', { referencedTable: 'jobs_to_be_done' }).limit(1, { referencedTable: 'jobs_to_be_done' }).single());
    assert.deepEqual(limited, { jobs_to_be_done: [{ title: 'Discharge' }] });
  });

  test('rows that have nothing embedded', async () => {
    assert.deepEqual(got(await supabase.from('personas').select('name, jobs_to_be_done()').is('jobs_to_be_done', null)), [{ name: 'Patient' }]);
    assert.deepEqual(got(await supabase.from('personas').select('name, jobs_to_be_done()').not('jobs_to_be_done', 'is', null)), [{ name: 'Nurse' }]);
  });

  test('spread, and an order by what is embedded', async () => {
    const jobs = got(await supabase.from('jobs_to_be_done').select('title, ...personas(persona:name)').not('persona_id', 'is', null).order('title'));
    assert.deepEqual(jobs, [{ title: 'Admit', persona: 'Nurse' }, { title: 'Discharge', persona: 'Nurse' }]);
    const ordered = got(await supabase.from('jobs_to_be_done').select('title, personas(name)').order('personas(name)', { ascending: false, nullsFirst: true }).order('title'));
    assert.deepEqual(titles(ordered), ['Nobody\'s', 'Admit', 'Discharge']);
  });

  test('a count of what is embedded', async () => {
    assert.deepEqual(got(await supabase.from('personas').select('name, jobs_to_be_done(count)').order('name')), [
      { name: 'Nurse', jobs_to_be_done: [{ count: 2 }] }, { name: 'Patient', jobs_to_be_done: [{ count: 0 }] },
    ]);
  });

  test('a relationship that does not exist', async () => {
    const error = failed(await supabase.from('personas').select('name, tenant_apps(app_key)'), 'PGRST200', 400);
    assert.match(error.message, /Could not find a relationship between 'personas' and 'tenant_apps'/);
  });
});

describe('writing', () => {
  const rows = (columns = 'title') => supabase.from('prompts').select(columns).eq('category', 'write').order('title');

  test('insert without and with the row, many at once', async () => {
    const quiet = await supabase.from('prompts').insert({ tenant_id: tenantId, category: 'write', title: 'One' });
    assert.deepEqual([quiet.status, quiet.data, quiet.error], [201, null, null]);
    const row = got(await supabase.from('prompts').insert({ tenant_id: tenantId, category: 'write', title: 'Two', metadata: { deep: [1, { x: 'ü' }] } }).select('title, metadata, version').single());
    assert.deepEqual(row, { title: 'Two', metadata: { deep: [1, { x: 'ü' }] }, version: 1 });
    const many = await supabase.from('prompts').insert([
      { tenant_id: tenantId, category: 'write', title: 'Three', description: 'with one' },
      { tenant_id: tenantId, category: 'write', title: 'Four' },
    ], { count: 'exact' }).select('title, description');
    assert.equal(many.count, 2);
    assert.deepEqual(got(many), [{ title: 'Three', description: 'with one' }, { title: 'Four', description: null }]);
  });

  test('columns that are left out take their defaults', async () => {
    const rows = [{ tenant_id: tenantId, category: 'write', title: 'Five', version: 7 }, { tenant_id: tenantId, category: 'write', title: 'Six' }];
    const made = got(await supabase.from('prompts').insert(rows, { defaultToNull: false }).select('title, version'));
    assert.deepEqual(made, [{ title: 'Five', version: 7 }, { title: 'Six', version: 1 }]);
    failed(await supabase.from('prompts').insert(rows).select(), '23502', 400);
  });

  test('a batch with one bad row changes nothing', async () => {
    failed(await supabase.from('prompts').insert([{ tenant_id: tenantId, category: 'write', title: 'Half' }, { tenant_id: tenantId, category: 'write', title: ' ' }]), '23514', 400);
    assert.deepEqual(got(await rows().eq('title', 'Half')), []);
  });

  test('update with a filter answers with what it changed', async () => {
    const { data, count, status } = await supabase.from('prompts').update({ status: 'draft' }, { count: 'exact' }).eq('category', 'write').in('title', ['One', 'Two']).select('title, status').order('title');
    assert.deepEqual([status, count], [200, 2]);
    assert.deepEqual(data, [{ title: 'One', status: 'draft' }, { title: 'Two', status: 'draft' }]);
    const none = await supabase.from('prompts').update({ status: 'draft' }).eq('title', 'no such').select();
    assert.deepEqual([none.data, none.status], [[], 200]);
    const quiet = await supabase.from('prompts').update({ status: 'active' }).eq('category', 'write').eq('title', 'One');
    assert.deepEqual([quiet.data, quiet.status], [null, 204]);
  });

  test('maxAffected takes back what goes too far', async () => {
    failed(await supabase.from('prompts').update({ status: 'retired' }).eq('category', 'write').maxAffected(1).select(), 'PGRST124', 400);
    assert.deepEqual(got(await rows('status').eq('status', 'retired')), []);
  });

  test('upsert: inserts, updates, ignores duplicates', async () => {
    const agent = { tenant_id: tenantId, slug: 'scribe', name: 'Scribe' };
    const options = { onConflict: 'tenant_id,slug' };
    const made = got(await supabase.from('agents').upsert(agent, options).select().single());
    const again = await supabase.from('agents').upsert({ ...agent, name: 'Scribe II' }, options).select().single();
    assert.deepEqual([again.data.id, again.data.name, again.status], [made.id, 'Scribe II', 200]);
    const ignored = await supabase.from('agents').upsert({ ...agent, name: 'Scribe III' }, { ...options, ignoreDuplicates: true }).select();
    assert.deepEqual(ignored.data, []);
    assert.equal(got(await supabase.from('agents').select('name').eq('id', made.id).single()).name, 'Scribe II');
    const byKey = got(await supabase.from('agents').upsert({ tenant_id: tenantId, id: made.id, slug: 'scribe', name: 'Scribe IV' }).select('name'));
    assert.deepEqual(byKey, [{ name: 'Scribe IV' }]);
  });

  test('a write embeds what it changed', async () => {
    const job = got(await supabase.from('jobs_to_be_done').insert({ tenant_id: tenantId, title: 'Embedded', persona_tenant_id: tenantId, persona_id: persona.id }).select('title, personas(name)').single());
    assert.deepEqual(job, { title: 'Embedded', personas: { name: 'Nurse' } });
    assert.deepEqual(got(await supabase.from('jobs_to_be_done').delete().eq('title', 'Embedded').select('personas(name)')), [{ personas: { name: 'Nurse' } }]);
  });

  test('delete, with and without the rows', async () => {
    assert.deepEqual(got(await supabase.from('prompts').delete().eq('category', 'write').eq('title', 'One').select('title')), [{ title: 'One' }]);
    const rest = await supabase.from('prompts').delete({ count: 'exact' }).eq('category', 'write');
    assert.deepEqual([rest.status, rest.count, rest.data], [204, 5, null]);
    assert.deepEqual(got(await rows()), []);
  });
});

describe('functions', () => {
  test('without arguments, with some, and by GET', async () => {
    const context = got(await supabase.rpc('get_user_tenant_context'));
    assert.deepEqual(got(await supabase.rpc('get_user_tenant_context', { p_user_id: userId }, { get: true })), context);
    assert.equal(got(await supabase.rpc('get_user_tenant_id')), tenantId);
    assert.equal(got(await supabase.rpc('is_tenant_admin')), true);
    assert.equal(got(await supabase.rpc('is_super_admin')), false);
  });

  test('one that answers with a row, and one with rows that are narrowed', async () => {
    const tool = got(await supabase.rpc('register_tool', { p_name: 'Look up', p_slug: 'look-up', p_implementation_type: 'http' }));
    assert.deepEqual([tool.slug, tool.tenant_id, tool.owner_id, tool.implementation_type], ['look-up', tenantId, userId, 'http']);
    assert.match(got(await supabase.rpc('record_tool_usage', { p_tool_id: tool.id, p_success: true, p_execution_time_ms: 12 })), /^[0-9a-f-]{36}$/);
    const health = await supabase.rpc('get_tool_health_metrics', { p_days: 7 }, { count: 'exact' }).select('tool_name, total_uses, health_status').eq('tool_name', 'Look up');
    assert.deepEqual([got(health), health.count], [[{ tool_name: 'Look up', total_uses: 1, health_status: 'HEALTHY' }], 1]);
    assert.equal(got(await supabase.rpc('get_tool_health_metrics').select('total_uses').eq('tool_name', 'Look up').single()).total_uses, 1);
  });

  test('a change is seen by the next read', async () => {
    const flag = got(await supabase.rpc('toggle_tenant_feature', { p_flag_key: 'new_dashboard', p_enabled: true, p_config: { share: 10 } }));
    assert.deepEqual([flag.enabled, flag.overridden], [true, true]);
    const { config } = got(await supabase.rpc('get_user_tenant_context'));
    assert.deepEqual(config.features.find((f) => f.flag_key === 'new_dashboard'), { flag_key: 'new_dashboard', enabled: true, config: { share: 10 } });
  });

  test('one that answers with nothing', async () => {
    const { data, error, status } = await (await vital.as(alex)).rpc('invalidate_cache', { p_tenant_id: tenantId });
    assert.deepEqual([data, error, status], [null, null, 204]);
  });

  test('what a function refuses keeps its code and hint', async () => {
    const member = await vital.as(ben);
    const error = failed(await member.rpc('toggle_tenant_feature', { p_flag_key: 'new_dashboard', p_enabled: false }), 'permission_denied', 403);
    assert.ok(error.message && error.hint, JSON.stringify(error));
    failed(await supabase.rpc('toggle_tenant_feature', { p_flag_key: 'no_such_flag', p_enabled: false }), 'not_found', 404);
  });
});

describe('errors', () => {
  test('an unknown column, an unknown table, an unknown function and a wrong argument', async () => {
    const column = failed(await supabase.from('prompts').select('nope'), '42703', 400);
    assert.equal(column.message, 'column prompts.nope does not exist');
    const table = failed(await supabase.from('prompt').select(), 'PGRST205', 404);
    assert.equal(table.message, 'Could not find the table \'public.prompt\' in the schema cache');
    assert.equal(table.hint, 'Perhaps you meant the table \'public.prompts\'');
    failed(await supabase.from('prompts').insert({ tenant_id: tenantId, nope: 1 }), 'PGRST204', 400);
    const name = failed(await supabase.rpc('no_such_function'), 'PGRST202', 404);
    assert.match(name.message, /^Could not find the function public\.no_such_function without parameters/);
    const argument = failed(await supabase.rpc('get_user_tenant_context', { p_user: userId }), 'PGRST202', 404);
    assert.match(argument.hint, /get_user_tenant_context\(p_user_id\)/);
  });

  test('a unique violation; its values are shown to whom no policy binds', async () => {
    const agent = { tenant_id: tenantId, name: 'Again', slug: 'trial-matcher' };
    const bound = failed(await supabase.from('agents').insert(agent), '23505', 409);
    assert.equal(bound.message, 'duplicate key value violates unique constraint "agents_tenant_id_slug_key"');
    assert.equal(bound.details, null);
    const free = failed(await service.from('agents').insert(agent), '23505', 409);
    assert.equal(free.details, `Key (tenant_id, slug)=(${tenantId}, trial-matcher) already exists.`);
  });

  test('a check, a missing value, a value that is no such thing', async () => {
    failed(await supabase.from('prompts').insert({ tenant_id: tenantId, title: ' ' }), '23514', 400);
    failed(await supabase.from('prompts').insert({ tenant_id: tenantId }), '23502', 400);
    failed(await supabase.from('prompts').select().eq('id', 'x'), '22P02', 400);
    failed(await supabase.from('chat_sessions').insert({ tenant_id: tenantId, user_id: userId, agent_tenant_id: tenantId, agent_id: randomUUID() }), '23503', 409);
  });

  test('a filter that cannot be read', async () => {
    failed(await supabase.from('prompts').select().filter('title', 'no_operator', 'x'), 'PGRST100', 400);
    failed(await supabase.from('prompts').select('title,'), 'PGRST100', 400);
  });

  test('a schema that is not served, a plan that is not told', async () => {
    for (const schema of ['vital', 'auth', 'pg_catalog']) {
      failed(await supabase.schema(schema).from('users').select(), 'PGRST106', 406);
    }
    const plan = await supabase.from('prompts').select().explain();
    assert.equal(plan.error?.code, 'PGRST107', JSON.stringify(plan));
  });

  test('throwOnError throws a PostgrestError', async () => {
    await assert.rejects(async () => { await supabase.from('prompts').select('nope').throwOnError(); }, (error) => {
      assert.ok(error instanceof PostgrestError);
      assert.equal(error.code, '42703');
      return true;
    });
    assert.deepEqual((await supabase.from('prompts').select('title').eq('version', 99).throwOnError()).data, []);
  });

  test('nobody sees nothing: the anon key alone', async () => {
    const nobody = vital.client();
    failed(await nobody.from('prompts').select(), '42501', 401);
    failed(await nobody.from('organizations').select(), '42501', 401);
    failed(await nobody.rpc('get_user_tenant_context'), 'user_required');
  });
});

// Cyd, an admin of another tenant, knows every id of the first one.
describe('a second tenant', () => {
  const tables = ['tenant_configurations', 'tenant_apps', 'tenant_agents', 'tenant_feature_flags', 'user_tenants', 'invitations', 'agents', 'tools',
    'tool_categories', 'prompts', 'knowledge', 'personas', 'jobs_to_be_done', 'chat_sessions', 'tool_usage_log'];
  let intruder;
  let otherId;
  let rows; // a row of the first tenant for each table
  let tool;
  let agent;
  let session;

  const everything = async () => Object.fromEntries(await Promise.all([
    ...tables.map(async (table) => [table, got(await service.from(table).select().eq('tenant_id', tenantId).order('id'))]),
    ...['organizations', 'users', 'profiles'].map(async (table) => [table, got(await service.from(table).select().order('id'))]),
  ]));

  before(async () => {
    intruder = await vital.as(cyd);
    otherId = got(await intruder.rpc('get_user_tenant_id'));
    assert.notEqual(otherId, tenantId);
    tool = got(await supabase.rpc('register_tool', { p_name: 'Ours', p_slug: 'ours' }));
    agent = got(await supabase.from('agents').select().eq('slug', 'trial-matcher').single());
    done(await supabase.rpc('assign_agent', { p_agent_id: agent.id }));
    done(await supabase.rpc('invite_member', { p_email: 'new@digital-health.vital.test' }));
    done(await supabase.rpc('record_tool_usage', { p_tool_id: tool.id, p_success: true }));
    done(await supabase.rpc('toggle_tenant_feature', { p_flag_key: 'new_dashboard', p_enabled: true }));
    done(await supabase.from('tool_categories').insert({ tenant_id: tenantId, name: 'Ours', slug: 'ours' }));
    done(await supabase.from('knowledge').insert({ tenant_id: tenantId, title: 'Secret', body: 'letters' }));
    session = got(await supabase.from('chat_sessions').insert({ tenant_id: tenantId, user_id: userId, title: 'Private' }).select().single());
    rows = Object.fromEntries(Object.entries(await everything()).map(([table, all]) => [table, all[0]]));
    for (const table of tables) assert.ok(rows[table], `${table} has no row to look for`);
  });

  test('sees none of the first\'s rows, by tenant, by id, or among all', async () => {
    for (const table of tables) {
      assert.deepEqual(got(await intruder.from(table).select('id').eq('tenant_id', tenantId)), [], table);
      assert.deepEqual(got(await intruder.from(table).select('id').eq('id', rows[table].id)), [], table);
      assert.deepEqual(got(await intruder.from(table).select('tenant_id')).filter((row) => row.tenant_id === tenantId), [], table);
    }
    assert.deepEqual(got(await intruder.from('organizations').select('id').eq('id', tenantId)), []);
    assert.deepEqual(got(await intruder.from('tenant_full_config').select().eq('tenant_id', tenantId)), []);
    assert.deepEqual(got(await intruder.from('users').select().eq('email', ada)), []);
    assert.deepEqual(got(await intruder.from('profiles').select().eq('email', ada)), []);
    assert.deepEqual(got(await intruder.from('organization_audit_log').select().eq('organization_id', tenantId)), []);
    assert.deepEqual(got(await intruder.from('prompts').select().or(`tenant_id.eq.${tenantId},title.eq.Alpha`)), []);
    assert.deepEqual(got(await intruder.from('knowledge').select().textSearch('body', 'letters')), []);
  });

  test('counts and sums none of them', async () => {
    for (const table of tables) {
      const { count, error } = await intruder.from(table).select('id', { count: 'exact', head: true }).eq('tenant_id', tenantId);
      assert.deepEqual([count, error], [0, null], table);
    }
    assert.deepEqual(got(await intruder.from('prompts').select('count(), version.sum()').eq('tenant_id', tenantId)), [{ count: 0, sum: null }]);
    // A planner's estimate would tell how many rows a filter finds behind the policies.
    const planned = await intruder.from('prompts').select('*', { count: 'planned', head: true }).eq('tenant_id', tenantId);
    const unknown = await intruder.from('prompts').select('*', { count: 'planned', head: true }).eq('tenant_id', randomUUID());
    assert.equal(planned.count, unknown.count);
  });

  test('reaches none of them through an embedding', async () => {
    const organizations = got(await intruder.from('organizations').select('slug, personas(name), agents(slug), users(email), user_tenants(user_id)'));
    assert.deepEqual(organizations.map((o) => o.slug), ['pharma']);
    const text = JSON.stringify(organizations);
    for (const hidden of ['Nurse', 'trial-matcher', ada, userId]) assert.ok(!text.includes(hidden), hidden);
    // Of a shared user, the row is shown to both; the other membership is not.
    const dana = got(await intruder.from('users').select('email, user_tenants(tenant_id)').like('email', 'dana@%').single());
    assert.deepEqual(dana.user_tenants, [{ tenant_id: otherId }]);
    assert.deepEqual(got(await intruder.from('jobs_to_be_done').select('title, personas!inner(name)').eq('personas.name', 'Nurse')), []);
  });

  test('gets nothing from functions with the first\'s ids, and the answer is that for an id that does not exist', async () => {
    const { id: member } = got(await service.from('users').select('id').eq('email', ben).single());
    const calls = [
      ['get_user_tenant_context', 'p_user_id', userId], ['get_user_tenant_context_optimized', 'p_user_id', userId],
      ['set_default_tenant', 'p_tenant_id', tenantId], ['invalidate_cache', 'p_tenant_id', tenantId],
      ['record_tool_usage', 'p_tool_id', tool.id, { p_success: true }], ['deprecate_tool', 'p_tool_id', tool.id, { p_reason: 'mine now' }],
      ['assign_agent', 'p_agent_id', agent.id], ['assign_agent', 'p_agent_id', agent.id, { p_agent_tenant_id: tenantId }],
      ['unassign_agent', 'p_agent_id', agent.id, { p_agent_tenant_id: tenantId }],
      ['change_member_role', 'p_user_id', member, { p_role: 'owner' }], ['remove_member', 'p_user_id', member],
      ['revoke_invitation', 'p_invitation_id', rows.invitations.id],
      ['change_tenant_state', 'p_tenant_id', tenantId, { p_action: 'suspend', p_reason: 'mine now' }],
      ['set_parent_organization', 'p_tenant_id', tenantId, { p_parent_organization_id: otherId }],
      ['clone_tenant_settings', 'p_from', tenantId, { p_to: otherId }], ['clone_tenant_settings', 'p_to', tenantId, { p_from: otherId }],
    ];
    const untouched = await everything();
    for (const [name, argument, id, more] of calls) {
      const theirs = await intruder.rpc(name, { ...more, [argument]: id });
      const nobodys = await intruder.rpc(name, { ...more, [argument]: randomUUID() });
      assert.ok(theirs.error, `${name} went through: ${JSON.stringify(theirs.data)}`);
      assert.deepEqual([theirs.status, theirs.error], [nobodys.status, nobodys.error], name);
    }
    assert.deepEqual(await everything(), untouched);
  });

  test('changes none of them', async () => {
    const untouched = await everything();
    for (const table of tables) {
      for (const change of [
        intruder.from(table).update({ updated_at: '2000-01-01' }).eq('tenant_id', tenantId),
        intruder.from(table).update({ tenant_id: otherId }).eq('id', rows[table].id),
        intruder.from(table).delete().eq('tenant_id', tenantId),
        intruder.from(table).delete().eq('id', rows[table].id),
      ]) {
        const { data, error } = await change.select('id');
        assert.ok(error || data.length === 0, `${table}: ${JSON.stringify(data)}`);
      }
      const { error: taken } = await intruder.from(table).upsert(rows[table]).select('id');
      assert.ok(taken, `${table} took an upsert of the row as it is`);
      const { error: added } = await intruder.from(table).insert({ ...rows[table], id: randomUUID() }).select('id');
      assert.ok(added, `${table} took a row of another tenant`);
    }
    done(await intruder.from('organizations').update({ name: 'Mine' }).eq('id', tenantId));
    assert.deepEqual(await everything(), untouched, 'as the service key sees it');
    assert.equal(got(await supabase.from('chat_sessions').select('title').eq('id', session.id).single()).title, 'Private', 'as the first user sees it');
    assert.equal(got(await supabase.from('organizations').select('name').eq('id', tenantId).single()).name, 'Digital Health');
  });

  test('an insert for the first tenant does not tell whether its key is taken', async () => {
    const taken = await intruder.from('agents').insert({ tenant_id: tenantId, name: 'x', slug: 'trial-matcher' });
    const free = await intruder.from('agents').insert({ tenant_id: tenantId, name: 'x', slug: 'no-such-agent' });
    failed(taken, '42501', 403);
    assert.equal(taken.error.message, 'new row violates row-level security policy for table "agents"');
    assert.deepEqual([taken.status, taken.error], [free.status, free.error]);
    const upsert = await intruder.from('agents').upsert({ tenant_id: tenantId, name: 'x', slug: 'trial-matcher' }, { onConflict: 'tenant_id,slug' });
    failed(upsert, '42501', 403);
  });

  test('a row of its own may bear the first\'s key and id, and hurts nobody', async () => {
    const own = got(await intruder.from('agents').insert({ tenant_id: otherId, id: agent.id, name: 'Twin', slug: 'trial-matcher' }).select().single());
    assert.equal(own.tenant_id, otherId);
    assert.deepEqual(got(await intruder.from('agents').update({ name: 'Changed' }).eq('id', agent.id).select('tenant_id')), [{ tenant_id: otherId }]);
    assert.deepEqual(got(await intruder.from('agents').delete().eq('id', agent.id).select('tenant_id')), [{ tenant_id: otherId }]);
    assert.deepEqual(got(await supabase.from('agents').select('name').eq('id', agent.id).single()), { name: 'Trial matcher' });
  });

  test('cannot point at the first\'s rows, or move its own there', async () => {
    const pointing = await intruder.from('jobs_to_be_done').insert({ tenant_id: otherId, title: 'x', persona_tenant_id: tenantId, persona_id: persona.id }).select('personas(name)');
    failed(pointing, '23514', 400);
    failed(await intruder.from('jobs_to_be_done').insert({ tenant_id: otherId, title: 'x', persona_tenant_id: otherId, persona_id: persona.id }), '23503', 409);
    const own = got(await intruder.from('prompts').insert({ tenant_id: otherId, title: 'Own' }).select().single());
    const moved = await intruder.from('prompts').update({ tenant_id: tenantId }).eq('id', own.id).select();
    assert.ok(moved.error, JSON.stringify(moved.data));
    assert.equal(got(await service.from('prompts').select('tenant_id').eq('id', own.id).single()).tenant_id, otherId);
  });

  test('cannot act in the first tenant by naming it', async () => {
    for (const reference of [tenantId, 'digital-health', 'no-such-tenant', randomUUID()]) {
      const named = await vital.as(cyd, { 'Vital-Tenant': reference });
      failed(await named.from('prompts').select(), 'tenant_not_found', 404);
      failed(await named.from('prompts').insert({ tenant_id: tenantId, title: 'x' }), 'tenant_not_found', 404);
    }
  });

  test('the service key sees both', async () => {
    assert.deepEqual(got(await service.from('organizations').select('slug').order('slug')).map((o) => o.slug), ['digital-health', 'pharma', 'platform']);
    assert.equal(got(await service.rpc('get_user_tenant_context', { p_user_id: userId })).organization.id, tenantId);
  });
});
