import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { VitalError } from '@vital-db/client';
import { vitalKey } from '@vital-db/client/react';
import { useEffect, useState } from 'react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { toast } from '../../../ui/toast';
import { titleOf } from './runs';

/** What came of asking for a job. */
export interface Asked { run: () => void; pending: boolean; said: string | undefined; error: Error | undefined }

const words: Record<string, string> = { available: 'Waits…', pending: 'Waits…', scheduled: 'Waits…', retryable: 'Waits…', running: 'Runs…' };

/** Has a job done, follows it to its end, and has everything read again then. */
export function useAskedJob(plan: () => Promise<number>, done: string): Asked {
  const queries = useQueryClient();
  const [id, setId] = useState<number>();
  const [error, setError] = useState<Error>();
  const ask = useMutation({ mutationFn: plan, onMutate: () => setError(undefined), onSuccess: setId, onError: setError });
  const { data: job } = useQuery({
    queryKey: [...vitalKey, 'asked-job', id],
    queryFn: async ({ signal }) => {
      const [row] = await told(rest.rpc('list_jobs', undefined, { get: true }).select('state,finalized_at,last_error').eq('id', id!).abortSignal(signal));
      return row ?? null;
    },
    enabled: id !== undefined,
    refetchInterval: 500,
  });
  useEffect(() => {
    if (id === undefined || !job?.finalized_at) return;
    setId(undefined);
    if (job.state === 'completed') toast(done);
    else setError(new VitalError({ code: 'job', message: job.last_error ?? `The job was ${job.state}.` }));
    void queries.invalidateQueries({ queryKey: vitalKey });
  }, [id, job, queries, done]);
  const pending = ask.isPending || id !== undefined;
  return { run: () => ask.mutate(), pending, said: pending ? words[job?.state ?? 'pending'] ?? 'Waits…' : undefined, error };
}

/** Has a check run now. */
export function useAskedRun(check: string): Asked {
  return useAskedJob(() => told(rest.rpc('run_check', { p_check: check })), `${titleOf(check)} was checked`);
}
