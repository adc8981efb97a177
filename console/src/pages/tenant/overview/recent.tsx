import { useQuery } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { History } from 'lucide-react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Card } from '../../../ui/card';
import { Empty, Problem, Skeleton } from '../../../ui/state';
import { Time } from '../../../ui/time';
import { ToPage } from './setup';

interface Entry { id: string; action: string; entity: string | null; actor_id: string | null; database_role: string; reason: string | null; created_at: string }

/** What was changed last. For admins, who alone may read it. */
export function Recent() {
  const { organization: { id } } = useTenant();
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: [...vitalKey, 'audit', 'recent', id],
    queryFn: async ({ signal }) => {
      const entries: Entry[] = await told(rest.from('organization_audit_log').select('id,action,entity,actor_id,database_role,reason,created_at').eq('organization_id', id).order('seq', { ascending: false }).limit(6).abortSignal(signal));
      const actors = [...new Set(entries.flatMap(({ actor_id }) => actor_id ?? []))];
      const users = actors.length === 0 ? [] : await told(rest.from('users').select('id,email').in('id', actors).abortSignal(signal));
      const names = new Map(users.map((user) => [user.id, user.email]));
      return entries.map((entry) => ({ ...entry, who: entry.actor_id === null ? entry.database_role : names.get(entry.actor_id) ?? 'somebody who is no member' }));
    },
  });
  return (
    <Card title="Recent changes" description="The newest entries of the audit log." actions={<ToPage to="/t/$tenant/audit" label="Whole audit log" />}>
      {error && !data ? <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /> : !data ? <Skeleton className="h-40" /> : data.length === 0 ? <Empty icon={<History className="size-5" />} title="Nothing was changed yet" /> : (
        <ol className="-my-1 divide-y divide-line text-sm">
          {data.map((entry) => (
            <li key={entry.id} className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-0.5 py-2">
              <span className="min-w-0"><b className="font-medium">{worded(entry.action)}</b>{entry.entity && <span className="ml-1.5 font-mono text-xs text-muted">{entry.entity}</span>}{entry.reason && <span className="block text-xs text-muted">“{entry.reason}”</span>}</span>
              <span className="text-xs text-muted"><span className="break-all">{entry.who}</span>, <Time at={entry.created_at} /></span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

/** `config_updated` as people read it. */
const worded = (action: string) => (action[0]?.toUpperCase() ?? '') + action.slice(1).replace(/[._]/g, ' ');
