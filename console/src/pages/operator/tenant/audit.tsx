import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { vitalKey } from '@vital-db/client/react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { buttonClass } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Empty, Loading, Problem } from '../../../ui/state';
import { PlainTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import type { TenantRow } from '../tenant';

/** What happened to a tenant lately, and why. */
export function RecentAudit({ tenant }: { tenant: TenantRow }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'recent-audit', tenant.id],
    queryFn: async ({ signal }) => {
      const rows = await told(rest.from('organization_audit_log').select('id,action,entity,reason,actor_id,actor_role,database_role,created_at')
        .eq('organization_id', tenant.id).order('seq', { ascending: false }).limit(8).abortSignal(signal));
      const ids = [...new Set(rows.flatMap(({ actor_id: id }) => id ?? []))];
      const actors = ids.length > 0 ? await told(rest.from('users').select('id,email').in('id', ids).abortSignal(signal)) : [];
      const emails = new Map(actors.map(({ id, email }) => [id, email]));
      return rows.map((row) => ({ ...row, by: (row.actor_id && emails.get(row.actor_id)) ?? row.actor_role ?? row.database_role }));
    },
  });
  return (
    <Card flush title="Recent changes" description="The newest entries of its audit log." actions={<Link to={'/t/$tenant/audit' as string} params={{ tenant: tenant.slug } as never} className={buttonClass('secondary', 'small')}>Whole audit log</Link>}>
      {error ? <Problem error={error} retry={() => { void refetch(); }} /> : !data ? <Loading /> : data.length === 0 ? <Empty title="Nothing has happened yet" /> : (
        <PlainTable label="Recent changes" rows={data} rowKey={(row) => row.id} columns={[
          { header: 'What', cell: (row) => <><span className="font-medium first-letter:uppercase">{row.action.replaceAll('_', ' ')}</span> <span className="text-muted">{row.entity}</span></> },
          { header: 'By', minor: true, cell: (row) => <span className="break-all">{row.by}</span> },
          { header: 'Reason', cell: (row) => row.reason ? <span className="break-words">{row.reason}</span> : <span className="text-muted">–</span> },
          { header: 'When', align: 'right', cell: (row) => <Time at={row.created_at} /> },
        ]} />
      )}
    </Card>
  );
}
