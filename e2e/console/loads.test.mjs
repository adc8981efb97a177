// How data loads, in the console: of a tenant, and of all.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSound, settled, startConsole } from '../console.mjs';
import { alex, cyd, dana } from '../server.mjs';

let vital;
let console_;

before(async () => {
  console_ = await startConsole();
  vital = console_.vital;
});

after(() => console_?.stop());

const sql = (text) => vital.sql(text);

describe('loads', () => {
  const plant = (slug, columns) => sql(`insert into query_performance (tenant_id, query_name, query_type, user_id, execution_time_ms, duration_us, success, error_code, error_message, request_id, steps)
    select o.id, 'planted.' || '${columns.name}', 'planted', null, ${columns.ms}, ${columns.ms} * 1000, ${columns.code ? 'false' : 'true'}, ${columns.code ? `'${columns.code}', 'It failed.'` : 'null, null'}, 'request-${columns.name}',
      '[{"step": "authenticate", "duration_us": 20000}, {"step": "PlantedRead", "duration_us": ${columns.ms * 900}, "rows": 7}]' from organizations o where o.slug = '${slug}'`);

  test('a slow and a failing one are shown with request, steps and code, and another as it comes', async () => {
    await plant('pharma', { name: 'slow', ms: 98765 });
    await plant('pharma', { name: 'failing', ms: 12, code: 'planted_fault' });
    const page = await console_.signIn(alex, '/operator/load');
    await settled(page);
    const slowest = page.getByRole('region', { name: 'Slowest loads' }).first();
    const first = slowest.locator('tbody tr').first();
    await first.getByText('planted.slow').waitFor();
    assert.match(await first.innerText(), /pharma[\s\S]*1\.65 min[\s\S]*request-slow/);
    await page.getByRole('region', { name: 'Errors by code' }).last().getByText('planted_fault').waitFor();
    await page.getByRole('region', { name: 'Recent errors' }).first().getByText('planted.failing').waitFor();
    await first.getByRole('button', { name: 'planted.slow' }).click();
    assert.match(await page.getByRole('dialog').innerText(), /authenticate\s+20 ms\s+PlantedRead\s*7 rows\s+1\.48 min/);
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'Loads by tenant' }).first().getByText('pharma', { exact: true }).waitFor();

    await plant('digital-health', { name: 'live', ms: 123456 });
    await first.getByText('planted.live').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    await assertSound(page, 'load');
  });

  test('background jobs are listed by name, as jobs, and are no loads', async () => {
    await sql(`insert into query_performance (tenant_id, query_name, query_type, duration_us, success, error_code)
      select '00000000-0000-0000-0000-000000000001', 'job.PlantedJob', 'job', 999999000, n > 1, case n when 1 then 'planted_job_fault' end from generate_series(1, 3) n`);
    const page = await console_.signIn(alex, '/operator/load');
    await settled(page);
    const query = page.getByRole('region', { name: 'Loads by query' }).last().getByRole('row', { name: /^PlantedJob job 3/ });
    await query.waitFor();
    await page.getByRole('region', { name: 'Slowest loads' }).first().getByText('planted.live').waitFor();
    await page.getByRole('region', { name: 'Errors by code' }).last().getByText('planted_fault').waitFor();
    assert.equal(await page.getByText('PlantedJob').count(), 1);
    assert.equal(await page.getByText('planted_job_fault').count(), 0);
    await assertSound(page, 'load with jobs');
  });

  test('a tenant’s admin sees the tenant’s own, as a super admin does who looks at it; members see none', async () => {
    const [page, operator, member] = await Promise.all([
      console_.signIn(cyd, '/t/pharma/performance', { width: 390, theme: 'dark' }), console_.signIn(alex, '/t/pharma/performance'), console_.signIn(dana, '/t/pharma/performance'),
    ]);
    await Promise.all([settled(page), settled(operator)]);
    await page.getByRole('button', { name: 'planted.slow' }).waitFor();
    assert.equal(await page.getByText('planted.live').count(), 0);
    await assertSound(page, 'performance, dark and small');
    await operator.getByRole('button', { name: 'planted.slow' }).waitFor();
    assert.equal(await operator.getByText('planted.live').count(), 0);
    await assertSound(operator, 'performance');
    await member.getByRole('heading', { name: 'Not found' }).waitFor();
    await console_.go(page, '/operator/load');
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    assert.equal((await (await vital.as(cyd)).rpc('get_tenant_load_stats')).error.code, 'permission_denied');
  });
});
