import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { Download, FileText, Play } from 'lucide-react';
import type { ReactNode } from 'react';
import { told } from '../../api/answer';
import { useList } from '../../api/list';
import { save } from '../../download/file';
import { rest } from '../../session/clients';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Page } from '../../ui/page';
import { Segments } from '../../ui/segments';
import { Empty, Loading, Problem } from '../../ui/state';
import { useAskedJob, type Asked } from './checks/asked';
import { Gates } from './report/gates';
import { Weeks } from './report/weeks';
import type { KeptWeekly } from './report/weekly';
import { WeeklyReport } from './report/report';

/** How the weeks went, and which gates are passed. */
export function Report() {
  const list = useList('week.desc');
  const tab = list.filter('tab');
  const asked = useAskedJob(() => told(rest.rpc('make_weekly_report', { p_present: true })), 'The report of this week so far was made');
  const made = { ...asked, run: () => { if (list.filter('week')) list.set({ week: undefined }); asked.run(); } }; // whose newest is shown then
  return (
    <Page title="Weekly report" description="Made by a server when a week is over, from what was measured: it says ever after what was so then. How this week goes so far is measured when you ask."
      actions={<Make made={made}>Make now</Make>}>
      {made.error && <Card><Problem error={made.error} title="The report was not made" /></Card>}
      <Segments label="What is shown" value={tab} onChange={(next) => list.set({ tab: next })} options={[{ value: '', label: 'Report' }, { value: 'gates', label: 'Gates' }]} />
      {tab === 'gates' ? <Gates measure={<Make made={made} primary>Measure them now</Make>} /> : <><Chosen week={list.filter('week')} make={<Make made={made} primary>Make that of this week so far</Make>} /><Weeks list={list} /></>}
    </Page>
  );
}

/** Has the report of this week so far made, and last week's where it is missing. */
function Make({ made, primary, children }: { made: Asked; primary?: boolean; children: string }) {
  return <Button variant={primary ? 'primary' : 'secondary'} icon={<Play className="size-4" aria-hidden />} pending={made.pending} onClick={made.run}>{made.said ?? children}</Button>;
}

/** The report of a week; the newest, where none is named. */
function Chosen({ week, make }: { week: string; make: ReactNode }) {
  const { data: kept, error, isPending, refetch } = useQuery({
    queryKey: [...vitalKey, 'weekly-report', week],
    queryFn: async ({ signal }) => {
      const reports = rest.rpc('list_weekly_reports', undefined, { get: true }).select('report,is_over,made_at');
      const [row] = await told((week ? reports.eq('week', week) : reports).order('week', { ascending: false }).limit(1).abortSignal(signal).overrideTypes<KeptWeekly[], { merge: false }>());
      return row ?? null;
    },
  });
  if (isPending) return <Loading className="h-96" />;
  if (error) return <Card><Problem error={error} retry={() => { void refetch(); }} /></Card>;
  if (!kept) {
    return (
      <Card>
        <Empty icon={<FileText className="size-5" />} title={week ? `There is no report of ${week}` : 'There is no report yet'} action={!week && make}>
          {week ? 'The weeks there are stand below.' : 'The first is that of the week in which VITAL was installed, made when that is over. How this week goes can be measured now.'}
        </Empty>
      </Card>
    );
  }
  return <WeeklyReport kept={kept} actions={<Button size="small" icon={<Download className="size-3.5" aria-hidden />} onClick={() => download(kept)}>JSON</Button>} />;
}

/** Gives the report to the user as a file, whose name says whether the week was over. */
function download({ report, is_over: over }: KeptWeekly): void {
  save(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }), `weekly-report-${report.week}${over ? '' : '-so-far'}.json`);
}
