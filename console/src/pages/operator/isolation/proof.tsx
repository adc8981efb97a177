import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { ShieldCheck } from 'lucide-react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Empty, Loading, Problem } from '../../../ui/state';
import { Time } from '../../../ui/time';
import { milliseconds } from '../../../ui/units';
import { Findings, type Finding } from '../findings';

/** What attacking the database came to. */
export interface Proof { id: string; ran_at: string; duration_ms: number; status: string; findings: number; details: Finding[] }

/** The newest proof; null where there is none. */
export function useProof() {
  return useQuery({
    queryKey: [...vitalKey, 'proof'],
    queryFn: async ({ signal }): Promise<Proof | null> => {
      const [newest] = await told(rest.rpc('list_check_runs').select('id,ran_at,duration_ms,status,findings,details').eq('check_name', 'proof')
        .order('ran_at', { ascending: false }).limit(1).abortSignal(signal));
      return newest ? { ...newest, details: findingsOf(newest.details) } : null;
    },
  });
}

/** Findings as they were kept: a proof that failed has none. */
function findingsOf(details: unknown): Finding[] {
  return Array.isArray(details) ? details as Finding[] : [];
}

/** When the database was attacked last, and what came of it. */
export function LastProof({ proof }: { proof: ReturnType<typeof useProof> }) {
  const { data, error, isFetching, refetch } = proof;
  if (error && !data) return <Card title="Last proof"><Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /></Card>;
  if (data === undefined) return <Card title="Last proof"><Loading className="h-10" /></Card>;
  if (data === null) {
    return (
      <Card title="Last proof">
        <Empty title="Nobody has attacked this database yet" icon={<ShieldCheck className="size-5" />}>
          The matrix below says what is meant. <Command>vital rls prove</Command> tries it: it attacks every relation and function as every kind of caller, undoes all of it, and what came of it stands here.
        </Empty>
      </Card>
    );
  }
  return (
    <Card title="Last proof" flush={data.details.length > 0} actions={<Badge dot tone={data.findings > 0 ? 'bad' : data.status === 'ok' ? 'ok' : 'warn'}>{data.findings > 0 ? `${data.findings} found` : data.status === 'ok' ? 'nothing got through' : data.status}</Badge>}
      description={<>Attacked <Time at={data.ran_at} />, for {milliseconds(data.duration_ms)}. <Command>vital rls prove</Command> does it again.{data.findings > data.details.length && ` The first ${data.details.length} findings were kept.`}</>}>
      {data.details.length > 0 ? <Findings label="What the last proof found" findings={data.details} /> : <p className="text-sm text-muted">{data.findings > 0 ? 'What was found was not kept.' : 'No attack got through, and no rule found an error.'}</p>}
    </Card>
  );
}

/** What the last proof says of an object. */
export function Verdict({ proof, object }: { proof: Proof | null | undefined; object: string }) {
  if (proof === undefined) return <p className="text-sm text-muted">Not known.</p>;
  if (proof === null) return <p className="text-sm text-muted">There is none. <Command>vital rls prove</Command> makes one.</p>;
  const found = proof.details.filter((finding) => finding.object === object);
  if (found.length === 0 && proof.findings > proof.details.length) return <p className="text-sm text-muted">Not among the {proof.details.length} findings that were kept of {proof.findings}.</p>;
  if (found.length === 0) return <p className="text-sm"><Badge dot tone={proof.status === 'failed' ? 'warn' : 'ok'}>nothing found</Badge> <Time at={proof.ran_at} />. What was made since was not attacked.</p>;
  return (
    <div className="flex flex-col gap-2 text-sm">
      <p><Badge dot tone="bad">{found.length} found</Badge> <Time at={proof.ran_at} /></p>
      <ul className="flex list-disc flex-col gap-1 pl-5">{found.map((finding) => <li key={`${finding.check} ${finding.detail}`}><b className="font-medium">{finding.check}</b>: {finding.detail}</li>)}</ul>
    </div>
  );
}

function Command({ children }: { children: string }) {
  return <code className="rounded bg-sunken px-1.5 py-0.5 font-mono text-xs text-ink">{children}</code>;
}
