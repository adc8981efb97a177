import { useQuery, useQueryClient } from '@tanstack/react-query';
import { VitalError } from '@vital-db/client';
import { parseMetrics } from '../../../api/metrics';
import { vital } from '../../../session/clients';
import { keep, readingOf, type Reading } from './reading';

const key = ['metrics'];

/** The readings of the last minutes: one more every two seconds, unless paused. They are kept when the page is left, and read on when it is come back to. */
export function useReadings(paused: boolean) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => keep(queries.getQueryData<Reading[]>(key) ?? [], await read(signal)),
    refetchInterval: paused ? false : 2000, staleTime: Infinity, gcTime: 600_000, refetchOnWindowFocus: false, retry: false, structuralSharing: false,
  });
}

async function read(signal: AbortSignal): Promise<Reading> {
  const answer = await vital.fetch('/metrics', { signal });
  const text = await answer.text();
  try {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return readingOf(parseMetrics(text), Date.now() / 1000);
  } catch (cause) {
    throw new VitalError({
      code: 'metrics_unreadable', message: 'The server’s measurements cannot be read.', status: answer.status, cause,
      hint: 'What answers at /metrics is no server of VITAL. A proxy before it must let /metrics through.',
    });
  }
}
